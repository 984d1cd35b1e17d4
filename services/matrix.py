"""All services of all nodes as one table: a row per node, a column per service.

Six thousand cells are too many for a template; they are joined here.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import CharField
from django.db.models.functions import Cast
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from clusters.models import Node
from services.models import NodeReading, Service, ServiceQuerySet, is_meant
from ui.names import shared_domain, shorten_host, shorten_name
from ui.templatetags.ui import age_tag, outcome, state_label

Cells = dict[str, tuple[str, int | None]]

NOTHING = '<td class="none"><span class="visually-hidden">Not there</span></td>'
# States of one outcome are told apart by these.
ICONS = {
    "starting": "start",
    "stopping": "stop",
    "unreachable": "minus",
    "unreadable": "lock",
}


@dataclass(frozen=True)
class Matrix:
    """The table's columns and its finished rows."""

    columns: list[str]
    rows: SafeString
    nodes: int


def service_matrix(services: ServiceQuerySet, *, all_nodes: bool) -> Matrix:
    """Build the table of these services with two queries.

    Args:
        all_nodes: show also nodes of which no service is known.
    """
    by_node: dict[str, Cells] = defaultdict(dict)
    # As text, for to make six thousand UUIDs takes longer than all the rest.
    found = services.order_by().annotate(at=Cast("node", CharField()))
    cells = found.values_list("at", "name", "status", "reason_code")
    for at, name, status, reason_code in cells:
        by_node[at.replace("-", "")][name] = (status, reason_code)
    order = sorted(
        {name for cells in by_node.values() for name in cells}, key=without_maker
    )
    chosen = Node.objects.all() if all_nodes else Node.objects.filter(pk__in=by_node)
    nodes = chosen.select_related("cluster", "reading")
    drawn = ServiceDrawing(order, shared_domain(node.name for node in nodes))
    rows = [drawn.row(node, by_node.get(node.pk.hex, {})) for node in nodes]
    # Every value was escaped where it was put in.
    return Matrix(order, mark_safe("".join(rows)), len(rows))  # noqa: S308


def without_maker(name: str) -> str:
    """Sort by what a service does; generations name the same one differently."""
    return name.removeprefix("Cisco ").removeprefix("UP ").casefold()


class ServiceDrawing:
    """Draws rows; what many cells share is drawn once."""

    def __init__(self, columns: Iterable[str], domain: str) -> None:
        self.columns = list(columns)
        self.domain = domain
        self.icons = static("icons.svg")
        self.show = reverse("services:show", args=[UUID(int=0)])
        self.zone, self.now = timezone.get_current_timezone(), timezone.now()
        self.drawn: dict[tuple[Any, ...], str] = {}

    def row(self, node: Node, found: Cells) -> str:
        url = self.show.replace(str(UUID(int=0)), str(node.pk))
        reading: NodeReading | None = getattr(node, "reading", None)
        state = reading.state if reading else ""
        cells = "".join(
            self.cell(name, *found[name], state) if name in found else NOTHING
            for name in self.columns
        )
        if not found:
            cells = self.silence(state or "not read yet")
        label, cluster = escape(node.name), escape(node.cluster.name)
        return (
            f'<tr><th scope="row"><a href="{url}" title="{label} ({cluster})">'
            f"{escape(shorten_host(node.name, self.domain))}</a></th>"
            f'<td class="words" title="{cluster}">'
            f"{escape(shorten_name(node.cluster.name))}</td>"
            f'<td class="words">{self.seen(reading)}</td>{cells}</tr>'
        )

    def seen(self, reading: NodeReading | None) -> str:
        """When the node last said what the row shows."""
        at = reading.observed_at if reading else None
        return age_tag(self.now, at, self.zone) if at else "never"

    def cell(self, name: str, status: str, reason_code: int | None, state: str) -> str:
        label = state or status if status == Service.Status.UNKNOWN else status
        meant = is_meant(name, label, reason_code)
        key = name, label, meant
        if key not in self.drawn:
            icon_name = "information" if meant else outcome(label)
            words = state_label(label)
            # What is well stays quiet: no icon, so that the others stand out.
            icon = ICONS.get(label, icon_name)
            icon = "" if icon_name == "passed" else f"<span>{self.icon(icon)}</span>"
            self.drawn[key] = (
                f'<td class="{icon_name}" title="{escape(name)}: {words}">{icon}'
                f'<span class="visually-hidden">{words}</span></td>'
            )
        return self.drawn[key]

    def silence(self, state: str) -> str:
        return (
            f'<td class="unknown" colspan="{max(len(self.columns), 1)}">'
            f"<span>{self.icon(ICONS.get(state, 'unknown'))} {state_label(state)}"
            "</span></td>"
        )

    def icon(self, name: str) -> str:
        return (
            f'<svg class="icon icon-{name}" aria-hidden="true">'
            f'<use href="{self.icons}#{name}"></use></svg>'
        )
