"""How the console notices what a person did on a guided cluster. It claims nothing
that it did not see.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from clusters import table_search
from clusters.conversation import ask_node
from clusters.discovery import require_publisher
from clusters.inventory import node_ownership
from clusters.models import Cluster
from clusters.requests import is_near
from jobs.run import Run, Step
from peers import table_watch
from peers.drift import drift_of
from peers.entries import entry_of, matches_peer
from peers.models import Peer
from peers.values import visible_values
from wire import AxlClient, PeerEntry, WireError, count_of, sql

# A guided job looks again this often, and asks for attention after this long.
EVERY = 15.0
GIVE_UP = timedelta(days=7)

CONFIRM_ENTRY = "Choose Entered on the cluster when you have saved the entry."

FIELDS = {
    "address": "the peer address",
    "username": "the user name",
    "protocol": "the preferred protocol",
    "external_phone_number_mask": "the phone number mask",
}


def notice_peer(run: Run, peer: Peer, step: Step) -> str:
    """Come again until the cluster shows the peer, or users that only it can bring."""
    seen, sentence = observe_peering(peer, step.memo)
    if seen:
        return sentence
    wait_for_peering(run, step, sentence)
    raise AssertionError("parking ends the attempt")


def notice_removal(run: Run, peer: Peer, step: Step) -> str:
    try:
        if entry_of(peer) is None:
            return "The cluster no longer shows the peer."
        sentence = "The cluster still shows the peer."
    except WireError as error:
        sentence = f"The peer table could not be read: {error.message}"
    wait_for_peering(run, step, sentence)
    raise AssertionError("parking ends the attempt")


def observe_peering(peer: Peer, memo: dict[str, object]) -> tuple[bool, str]:
    """Whether the peering is seen, and a sentence about what is."""
    if attested := peer.valid_attestation:
        return True, f"{attested['by']} has entered it on the cluster."
    try:
        entry = entry_of(peer)
    except WireError as error:
        if learns_table(peer, memo):
            return observe_peering(peer, memo)
        return observe_users(peer, memo, error)
    if matches_peer(entry, peer):
        return True, "The cluster shows the peer."
    return False, missing_entry(entry, peer)


def learns_table(peer: Peer, memo: dict[str, object]) -> bool:
    """Whether the table became known: by one search, then by watching it."""
    try:
        if not memo.get("searched") and peer.cluster.peer_table_state == "unknown":
            memo["searched"] = True
            table_search.search_table(peer.cluster)
            if peer.cluster.recognised_table:
                return True
        return table_watch.watch_tables(peer, memo)
    except WireError:
        return False


def missing_entry(entry: PeerEntry | None, peer: Peer) -> str:
    if entry is None:
        return f"{peer.cluster} shows no peer {peer.address} yet."
    differing = [
        f"{FIELDS[name]} is {value or 'empty'}"
        for name, value in drift_of(visible_values(peer), entry).items()
    ]
    return f"The entry on {peer.cluster} differs: " + "; ".join(differing) + "."


def observe_users(
    peer: Peer, memo: dict[str, object], error: WireError
) -> tuple[bool, str]:
    """Without the table, users of the remote cluster tell: only an entry brings them.

    Those that were there before prove nothing until their number equals that of the
    remote cluster itself, which is what the guide asks for.
    """
    unread = f"The peer table could not be read: {error.message}"
    remote = peer.remote_cluster
    if peer.applied_address:
        return (
            False,
            f"{unread} Users do not show what changed in an entry. {CONFIRM_ENTRY}",
        )
    if remote is None:
        return False, f"{unread} The remote cluster is not managed. {CONFIRM_ENTRY}"
    if not is_near(remote):
        # Its users are counted by a check, which asks the workers of its site.
        return False, f"{unread} {remote} is of another site. {CONFIRM_ENTRY}"
    try:
        users, expected = associated_users(peer.cluster, remote), own_users(remote)
    except WireError:
        return False, unread
    if users is None or expected is None:
        where = peer.cluster if users is None else remote
        return False, (
            f"{unread} It is not known how many users of {remote} are on {where}: its "
            f"node table does not list their nodes. {CONFIRM_ENTRY}"
        )
    before = memo.setdefault("users_before", users)
    if users and (users == expected or not before):
        return True, (
            f"{users} of {expected} users of {remote} are on {peer.cluster}, so the "
            "entry works; the entry itself could not be read."
        )
    return False, (
        f"{unread} {peer.cluster} has {users} of the {expected} users of {remote}. "
        f"{CONFIRM_ENTRY}"
    )


def associated_users(home: Cluster, remote: Cluster) -> int | None:
    """Count users on the home cluster whose home node is one of the remote cluster."""
    return count_users(home, remote)


def own_users(cluster: Cluster) -> int | None:
    return count_users(cluster, cluster)


def count_users(where: Cluster, remote: Cluster) -> int | None:
    """Count the users that a cluster shows on the nodes of one.

    None, where it shows none but has users on nodes that it does not list.
    """
    query = sql.build_query("users_per_node", where.profile)
    owners = node_ownership()

    async def question(axl: AxlClient) -> int | None:
        rows = [row async for row in axl.rows(query)]
        total = sum(
            count_of(row.get("usercount"), axl.node.name)
            for row in rows
            if owners.of(row.get("name") or "") == remote.pk
        )
        return total or (None if any(not row.get("name") for row in rows) else 0)

    return ask_node(require_publisher(where), question)


def wait_for_peering(run: Run, step: Step, sentence: str) -> None:
    """Remember this look and come again, but not for ever."""
    now = timezone.now()
    since = datetime.fromisoformat(step.memo.get("since") or now.isoformat())
    late = now - since > GIVE_UP
    # The next attempt after giving up has as long again.
    gone_on = None if late else since.isoformat()
    step.save_memo(since=gone_on, looked_at=now.isoformat(), sentence=sentence)
    if late:
        run.needs_attention(f"Nothing was seen for {GIVE_UP.days} days. {sentence}")
    run.park(EVERY)
