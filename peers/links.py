"""Links of a result of Find and List to itself: what they change and what they keep."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from peers.pages import Page
from peers.search import Search

# What the table shows, each with its class.
COLUMNS = {
    "status": ("Status", "col-status"),
    "address": ("Peer address", ""),
    "cluster": ("Home cluster", ""),
    "remote_cluster": ("Remote cluster", ""),
    "username": ("User name", ""),
    "protocol": ("Protocol", ""),
    "associated_users": ("Associated / remote users", "num narrow"),
    "checked_at": ("Checked", ""),
}
# Parameters that name a page of the result, and what is selected on it.
PLACES = ("before", "after", "last")
SELECT = ("select",)


@dataclass(frozen=True)
class Head:
    """The head of a column: what a click on it asks for, and how it is sorted now.

    All but the URL is ours, and HTML as it stands.
    """

    name: str
    label: str
    url: str
    css: str = ""
    sorted: str = ""

    @property
    def icon(self) -> str:
        return {"ascending": "up", "descending": "down"}.get(self.sorted, "sort")


class Links:
    """The links around one page of a result."""

    def __init__(self, search: Search, page: Page, data: QueryDict) -> None:
        self.search = search
        given = [(name, value) for name in data for value in data.getlist(name)]
        here = urlencode([pair for pair in given if pair[0] not in SELECT])
        self.all_selected = joined(here, "select=all")
        self.none_selected = joined(here)
        given = [pair for pair in given if pair[0] not in (*PLACES, *SELECT)]
        kept = urlencode(given)
        self.first = joined(kept)
        self.export = export_url() + self.first
        self.previous = joined(kept, f"before={page.previous}") if page.previous else ""
        self.next = joined(kept, f"after={page.next}") if page.next else ""
        self.last = joined(kept, "last=1")
        self.unsorted = urlencode([pair for pair in given if pair[0] != "sort"])

    def heads(self) -> Iterator[Head]:
        """All columns; the sorted one leads to the other direction."""
        search = self.search
        direction = "descending" if search.descending else "ascending"
        for name, (label, css) in COLUMNS.items():
            now = direction if search.sort.removeprefix("-") == name else ""
            turned = f"-{name}" if search.sort == name else name
            url = joined(self.unsorted, f"sort={turned}")
            yield Head(name, label, url, css, now)


@cache
def export_url() -> str:
    return reverse("peers:export")


def joined(*queries: str) -> str:
    return "?" + "&".join(filter(None, queries))
