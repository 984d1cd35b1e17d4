"""How the console notices what a person did on a guided cluster. It claims nothing
that it did not see.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from jobs.run import Run, Step
from peers import changes, provisioning
from peers.conversation import ask
from peers.discovery import publisher_of
from peers.drift import drift_of
from peers.models import Cluster, Peer
from wire import AxlClient, PeerEntry, WireError, sql

# A guided job looks again this often, and asks for attention after this long.
EVERY = 15.0
GIVE_UP = timedelta(days=7)

FIELDS = {
    "address": "the peer address",
    "username": "the user name",
    "protocol": "the preferred protocol",
    "external_phone_number_mask": "the phone number mask",
}


def notice(run: Run, peer: Peer, step: Step) -> str:
    """Come again until the cluster shows the peer, or users that only it can bring."""
    seen, said = look(peer, step.memo)
    if seen:
        return said
    wait(run, step, said)
    raise AssertionError("parking ends the attempt")


def notice_removal(run: Run, peer: Peer, step: Step) -> str:
    try:
        if provisioning.entry_of(peer) is None:
            return "The cluster no longer shows the peer."
        said = "The cluster still shows the peer."
    except WireError as error:
        said = f"The peer table could not be read: {error.message}"
    wait(run, step, said)
    raise AssertionError("parking ends the attempt")


def look(peer: Peer, memo: dict[str, object]) -> tuple[bool, str]:
    """Whether the peering is seen, and a sentence about what is."""
    try:
        entry = provisioning.entry_of(peer)
    except WireError as error:
        return look_for_users(peer, memo, error)
    if provisioning.matches(entry, peer):
        return True, "The cluster shows the peer."
    return False, missing(entry, peer)


def missing(entry: PeerEntry | None, peer: Peer) -> str:
    if entry is None:
        return f"{peer.cluster} shows no peer {peer.address} yet."
    differing = [
        f"{FIELDS[name]} is {value or 'empty'}"
        for name, value in drift_of(changes.values_of(peer), entry).items()
    ]
    return f"The entry on {peer.cluster} differs: " + "; ".join(differing) + "."


def look_for_users(
    peer: Peer, memo: dict[str, object], error: WireError
) -> tuple[bool, str]:
    """Without the table, users of the remote cluster tell, if there were none."""
    unread = f"The peer table could not be read: {error.message}"
    remote = peer.remote_cluster
    if remote is None:
        return False, f"{unread} The remote cluster is not managed, so no users tell."
    try:
        users = associated_users(peer.cluster, remote)
    except WireError:
        return False, unread
    before = memo.setdefault("users_before", users)
    if users and not before:
        return True, (
            f"{users} users of {remote} appear on {peer.cluster}, so the peering "
            "works; the entry itself could not be read."
        )
    if before:
        return False, (
            f"{unread} Users of {remote} were there before, so they do not tell "
            "either; cancel the job when you are done."
        )
    return False, f"{unread} No users of {remote} appear on {peer.cluster} yet."


def associated_users(home: Cluster, remote: Cluster) -> int:
    """Users on the home cluster whose home node is one of the remote cluster."""

    query = sql.query("users_per_node", home.profile)
    nodes = list(remote.nodes.all())

    async def question(axl: AxlClient) -> int:
        rows = [row async for row in axl.rows(query)]
        return sum(
            int(row.get("usercount") or 0)
            for row in rows
            if any(node.goes_by((row.get("name") or "").strip()) for node in nodes)
        )

    return ask(publisher_of(home), question)


def wait(run: Run, step: Step, said: str) -> None:
    """Remember this look and come again, but not for ever."""
    now = timezone.now()
    since = datetime.fromisoformat(step.memo.get("since") or now.isoformat())
    late = now - since > GIVE_UP
    # The next attempt after giving up has as long again.
    gone_on = None if late else since.isoformat()
    step.remember(since=gone_on, looked_at=now.isoformat(), said=said)
    if late:
        run.needs_attention(f"Nothing was seen for {GIVE_UP.days} days. {said}")
    run.park(EVERY)
