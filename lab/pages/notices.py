"""Active notifications: what the product asks for after a change of its peers."""

from typing import TYPE_CHECKING

from .screens import Listing, Screen, ScreenRow
from .words import Words

if TYPE_CHECKING:
    from lab.cluster import LabCluster

ROUTER = "XCP Router"


def active_notices(cluster: "LabCluster") -> list[tuple[str, str]]:
    """Return severity and text of what is to be done: restart the router where it
    still runs since before the last change of the peers."""
    name = next(
        (s.name for s in cluster.release.services if s.name.endswith(ROUTER)), ""
    )
    if not name or not cluster.pages.changed_at:
        return []
    old = [
        node.name
        for node in cluster.nodes
        if node.services[name].since < cluster.pages.changed_at
    ]
    text = "Restart the {} service on {} for the changed intercluster peers"
    return [("Warning", text.format(name, node)) for node in old]


def notice_count(cluster: "LabCluster") -> int:
    return len(active_notices(cluster))


def notices_screen(cluster: "LabCluster", words: Words) -> Screen:
    rows = tuple(
        ScreenRow("", {"severity": severity, "message": message})
        for severity, message in active_notices(cluster)
    )
    columns = (("severity", words("severity")), ("message", words("message")))
    listing = Listing(columns, rows, 0, len(rows))
    return Screen("notifications", words("notifications_title"), listing=listing)
