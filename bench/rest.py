"""A list of 1,000 peers over REST against `values()` and a fast JSON encoder.

Ours is the whole way of a request: the WSGI handler with every middleware, the token,
the limit of requests, filters, the count, and two pages of 500. The peer reads the same
columns with `values()` and writes them with orjson, in the same process, and does
nothing else. Both give the same rows with the same names and values.
"""

import json
import sys
import tempfile
from collections.abc import Callable

from bench import console, contest

ROWS, PAGE = 1_000, 500
GOAL = 3.0
NAMES = (
    "id",
    "cluster",
    "remote_cluster",
    "address",
    "username",
    "password_set",
    "protocol",
    "external_phone_number_mask",
    "provisioning_state",
    "associated_users",
    "remote_users",
    "status",
    "created_at",
    "updated_at",
)


def seed() -> str:
    """Write the peers and return a token that may read them."""
    from django.contrib.auth.models import Group, User

    from accounts.models import ApiToken
    from accounts.roles import Role

    console.fill(ROWS)
    user = User.objects.create_user("bench")
    user.groups.add(Group.objects.get(name=Role.VIEWER.value))
    return ApiToken.issue(user, "bench", Role.VIEWER)[1]


def ours(ask: Callable[[str], bytes]) -> list[bytes]:
    return [ask(f"limit={PAGE}&offset={offset}") for offset in range(0, ROWS, PAGE)]


def floor() -> bytes:
    """The peer."""
    import orjson

    from peers.models import Peer

    columns = ("cluster_id", "remote_cluster_id", "outcome", "checked_at", "entries")
    plain = [name for name in NAMES if name not in OTHERWISE]
    rows = [
        {
            **{name: row[name] for name in plain},
            "cluster": row["cluster_id"],
            "remote_cluster": row["remote_cluster_id"],
            "password_set": bool(row["password"]),
            "status": {
                "outcome": row["outcome"],
                "checked_at": row["checked_at"],
                "entries": row["entries"],
            },
        }
        for row in Peer.objects.order_by("address", "pk").values(
            *plain, *columns, "password"
        )[:ROWS]
    ]
    return orjson.dumps(rows, option=orjson.OPT_UTC_Z)


OTHERWISE = {"cluster", "remote_cluster", "password_set", "status"}


def same(pages: list[bytes], other: bytes) -> bool:
    mine = [row for page in pages for row in json.loads(page)["results"]]
    theirs = json.loads(other)
    by_id = {row["id"]: row for row in theirs}
    return len(mine) == ROWS and all(
        {name: row[name] for name in NAMES} == by_id.get(row["id"]) for row in mine
    )


def main() -> None:
    heads = {"HTTP_AUTHORIZATION": f"Bearer {seed()}"}
    ask = console.asking("/api/v1/peers/", **heads)
    if not same(ours(ask), floor()):
        sys.exit("The two do not give the same rows.")
    mine, theirs, small = console.milliseconds(
        lambda: ours(ask), floor, lambda: ask(f"offset={ROWS}")
    )
    print(f"\n{ROWS:,} peers over REST, CPU ms")
    print(f"  ours, {ROWS // PAGE} pages of {PAGE:<16} {mine:8.1f}")
    print(f"  values() and orjson            {theirs:8.1f}")
    print(f"  ours, a request without rows   {small:8.2f}")
    sys.exit(not contest.verdict("ours against the peer", mine / theirs, GOAL))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        console.prepare(directory)
        main()
