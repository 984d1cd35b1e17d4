"""Which peers a form of Find and List means: those ticked, or all that match."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict

from peers.find.search import Search
from peers.models import Peer

# So many are planned, and confirmed, within one page view.
MOST_PEERS = 1_000
NOTHING_SELECTED = "Select the peers first."


class SelectionError(Exception):
    """Nothing is selected, or too much for one plan."""


def selected_peers(data: QueryDict) -> list[Peer]:
    """Return the selected peers that the current user may see.

    Raises:
        SelectionError: there are none, or more than `MOST_PEERS`.
    """
    peers = found_peers(data) if data.get("all") else ticked_peers(data)
    found = list(peers.select_related("cluster")[: MOST_PEERS + 1])
    if not found:
        raise SelectionError(NOTHING_SELECTED)
    if len(found) > MOST_PEERS:
        raise SelectionError(
            f"{peers.count():,} peers match, and at most {MOST_PEERS:,} can be "
            "selected at once. Narrow the search first."
        )
    return found


def found_peers(data: QueryDict) -> QuerySet[Peer]:
    """All that the search of the page finds."""
    return Search.parse(QueryDict(data.get("query", ""))).apply(Peer.objects.all())


def ticked_peers(data: QueryDict) -> QuerySet[Peer]:
    return Peer.objects.filter(pk__in=filter(is_id, data.getlist("peer")))


def is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
