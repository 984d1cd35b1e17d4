"""All services of all nodes as one table: a row per node, a column per service.

Six thousand cells are too many for a template; they are joined here.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from cupadmin.templatetags.cupadmin import outcome, state_label
from peers.models import Node
from services.models import INTENDED, Service, ServiceQuerySet

NOTHING = '<td class="none"><span class="visually-hidden">Not there</span></td>'


@dataclass(frozen=True)
class Matrix:
    """The table's columns and its finished rows."""

    columns: list[str]
    rows: SafeString
    nodes: int


def matrix(services: ServiceQuerySet) -> Matrix:
    """Build the table of these services with two queries."""
    by_node: dict[UUID, dict[str, tuple[Any, ...]]] = defaultdict(dict)
    columns = set()
    cells = services.order_by().values_list("node_id", "name", "status", "reason_code")
    for node, name, *rest in cells:
        by_node[node][name] = tuple(rest)
        columns.add(name)
    order = sorted(columns, key=without_maker)
    nodes = Node.objects.filter(pk__in=by_node).select_related("cluster", "reading")
    drawn = Drawing(order)
    rows = [drawn.row(node, by_node[node.pk]) for node in nodes]
    # Every value was escaped where it was put in.
    return Matrix(order, mark_safe("".join(rows)), len(rows))  # noqa: S308


def without_maker(name: str) -> str:
    """Sort by what a service does; generations name the same one differently."""
    return name.removeprefix("Cisco ").removeprefix("UP ").casefold()


class Drawing:
    """Draws rows; what many cells share is drawn once."""

    def __init__(self, columns: Iterable[str]) -> None:
        self.columns = list(columns)
        self.icons = static("icons.svg")
        self.show = reverse("services:show", args=[UUID(int=0)])
        self.drawn: dict[tuple[Any, ...], str] = {}

    def row(self, node: Node, found: dict[str, tuple[Any, ...]]) -> str:
        url = self.show.replace(str(UUID(int=0)), str(node.pk))
        state = getattr(getattr(node, "reading", None), "state", "")
        cells = "".join(
            self.cell(name, *found[name], state) if name in found else NOTHING
            for name in self.columns
        )
        label, cluster = escape(node.name), escape(node.cluster.name)
        return (
            f'<tr><th scope="row"><a href="{url}" title="{label} ({cluster})">{label}'
            f"</a></th>{cells}</tr>"
        )

    def cell(self, name: str, status: str, reason_code: int | None, state: str) -> str:
        shown = state or status if status == Service.Status.UNKNOWN else status
        meant = shown == Service.Status.STOPPED and reason_code in INTENDED
        key = name, shown, meant
        if key not in self.drawn:
            look = "information" if meant else outcome(shown)
            words = state_label(shown)
            self.drawn[key] = (
                f'<td class="{look}" title="{escape(name)}: {words}"><span>'
                f'<svg class="icon" aria-hidden="true"><use href="{self.icons}#{look}">'
                f'</use></svg><span class="visually-hidden">{words}</span></span></td>'
            )
        return self.drawn[key]
