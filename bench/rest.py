"""A list of 1,000 peers over REST against `values()` and a fast JSON encoder.

Ours is the whole way of a request: the WSGI handler with every middleware, the token,
the limit of requests, filters, the count, and two pages of 500. The peer reads the same
columns with `values()` and writes them with orjson, in the same process, and does
nothing else. Both give the same rows with the same names and values.
"""

import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from bench import contest
from bench.lists import fill

ROWS, PAGE, ROUNDS = 1_000, 500, 11
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


def prepare(directory: str) -> None:
    os.environ["CUPADMIN_DATA_DIR"] = directory
    os.environ["DJANGO_SETTINGS_MODULE"] = "cupadmin.settings"
    os.environ["CUPADMIN_DEBUG"] = "0"
    os.environ["CUPADMIN_ALLOWED_HOSTS"] = "testserver"
    os.environ["CUPADMIN_LOG_LEVEL"] = "ERROR"
    import django

    django.setup()


def checked(position: int) -> list[dict[str, Any]]:
    """What a check leaves in a peer: twelve entries."""
    from diagnostics.judge.status import ENTRIES

    return [
        {
            "code": entry.code,
            "label": entry.label,
            "outcome": "passed",
            "problem": "",
            "solution": "",
            "duration_ms": position % 97 + 0.25,
        }
        for entry in ENTRIES
    ]


def seed() -> str:
    """Write the peers and return a token that may read them."""
    from django.contrib.auth.models import Group, User
    from django.core.management import call_command

    from accounts.models import ApiToken
    from accounts.roles import Role
    from peers.models import Peer

    call_command("migrate", verbosity=0)
    fill(ROWS)
    peers = list(Peer.objects.all())
    for position, peer in enumerate(peers):
        peer.entries = checked(position)
    Peer.objects.bulk_update(peers, ["entries"], batch_size=200)
    user = User.objects.create_user("bench")
    user.groups.add(Group.objects.get(name=Role.VIEWER.value))
    return ApiToken.issue(user, "bench", Role.VIEWER)[1]


def asking(token: str) -> Callable[[int], bytes]:
    """A request as the web server hands it over."""
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    def ask(offset: int) -> bytes:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/api/v1/peers/",
            "QUERY_STRING": f"limit={PAGE}&offset={offset}",
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "HTTP_HOST": "testserver",
            "HTTP_AUTHORIZATION": f"Bearer {token}",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(),
            "wsgi.url_scheme": "http",
        }
        told: list[str] = []
        body = b"".join(application(environ, lambda status, _: told.append(status)))
        if not told[0].startswith("200"):
            raise SystemExit(f"{told[0]}: {body[:200]!r}")
        return body

    return ask


def ours(ask: Callable[[int], bytes]) -> list[bytes]:
    return [ask(offset) for offset in range(0, ROWS, PAGE)]


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


def milliseconds(work: Callable[[], object]) -> float:
    """The processor's time, since the machine may be shared."""
    work()
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return statistics.median(took) * 1000


def same(pages: list[bytes], other: bytes) -> bool:
    mine = [row for page in pages for row in json.loads(page)["results"]]
    theirs = json.loads(other)
    by_id = {row["id"]: row for row in theirs}
    return len(mine) == ROWS and all(
        {name: row[name] for name in NAMES} == by_id.get(row["id"]) for row in mine
    )


def main() -> None:
    ask = asking(seed())
    if not same(ours(ask), floor()):
        sys.exit("The two do not give the same rows.")
    small = milliseconds(lambda: ask(ROWS))
    mine, theirs = milliseconds(lambda: ours(ask)), milliseconds(floor)
    print(f"\n{ROWS:,} peers over REST, CPU ms")
    print(f"  ours, {ROWS // PAGE} pages of {PAGE:<16} {mine:8.1f}")
    print(f"  values() and orjson            {theirs:8.1f}")
    print(f"  ours, a request without rows   {small:8.2f}")
    sys.exit(not contest.verdict("ours against the peer", mine / theirs, GOAL))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        prepare(directory)
        main()
