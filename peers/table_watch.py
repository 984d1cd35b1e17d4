"""Learning the peer table of a cluster while a person enters a peer."""

from typing import Any

from django.utils import timezone

from accounts import audit
from clusters.conversation import ask_node
from clusters.discovery import require_publisher
from clusters.models import Cluster
from clusters.signals import table_recognised
from peers.models import Peer
from wire import AxlClient, sql
from wire.catalogue import Questions
from wire.recognition import RecognitionState

# A table that appears in the list of candidates is worth a question in each round.
MOST_WATCHED = 20


def watch_tables(peer: Peer, memo: dict[str, Any]) -> bool:
    """Compare the candidates before and after: the row that appears names the table.

    Args:
        memo: what the waiting step remembers, with the counts of before.

    Returns:
        Whether the table is known now, so that the entry itself can be read.
    """
    cluster = peer.cluster
    candidates = cluster.table_search.get("candidates", [])[:MOST_WATCHED]
    if cluster.peer_table or cluster.recognised_table or not candidates:
        return False
    counts = rows_naming(cluster, peer.address, candidates)
    before = memo.setdefault("rows_before", counts)
    appeared = [
        one
        for one in candidates
        if before.get(one["table"]) == 0 < counts[one["table"]]
    ]
    if len(appeared) != 1 or not is_row_of(cluster, appeared[0], peer):
        return False
    learn_table(cluster, appeared[0], peer)
    return True


def is_row_of(cluster: Cluster, one: dict[str, Any], peer: Peer) -> bool:
    """Whether the row has the user name of the peer, and not a key of another table."""
    address, username = one["columns"]["address"], one["columns"]["username"]
    query = sql.tally_query(
        "recognise_user",
        one["table"],
        {address: [peer.address]},
        {username: peer.username},
    )

    async def question(axl: AxlClient) -> bool:
        return bool(await Questions(axl).count(query))

    return ask_node(require_publisher(cluster), question)


def rows_naming(
    cluster: Cluster, host: str, candidates: list[dict[str, Any]]
) -> dict[str, int]:
    """Count in each candidate the rows that name a host."""

    async def question(axl: AxlClient) -> dict[str, int]:
        ask_ = Questions(axl)
        counts = {}
        for one in candidates:
            column = one["columns"]["address"]
            counts[one["table"]] = await ask_.holding(one["table"], column, [host]) or 0
        return counts

    return ask_node(require_publisher(cluster), question)


def learn_table(cluster: Cluster, candidate: dict[str, Any], peer: Peer) -> None:
    """Take the table in which the entry appeared while a person made it."""
    mapping = {
        name: candidate[name] for name in ("table", "columns", "protocol_values")
    }
    sentence = f"An entry for {peer.address} appeared in it while the console watched."
    candidate["evidence"] = [*candidate["evidence"], sentence]
    search_ = cluster.table_search | {
        "state": RecognitionState.RECOGNISED.value,
        "seen_at": timezone.now().isoformat(),
    }
    cluster.remember_search(search_, mapping)
    changes = {"recognised_table": ["", mapping["table"]]}
    audit.append_entry(audit.CONSOLE, "learn peer table", cluster, changes)
    table_recognised.send(sender=Cluster, cluster=cluster)
