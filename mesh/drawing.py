"""The matrix as HTML. Thousands of cells: a template takes seconds for them.

Every foreign text is escaped once, before it goes into any cell.
"""

from datetime import datetime
from uuid import UUID

from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from cupadmin.templatetags.cupadmin import icon, outcome, outcome_label
from mesh.matrix import Cell, Mesh, PeerStatus
from peers.models import Cluster

# Above so many clusters a cell has no room for its counts.
ROOMY = 10
NOBODY = UUID(int=0)


class Drawing:
    """Draws one matrix for one person.

    Args:
        offering: whether a missing peer is a link that sets it up.
    """

    def __init__(self, mesh: Mesh, *, offering: bool) -> None:
        self.mesh = mesh
        self.offering = offering
        self.dense = len(mesh.clusters) > ROOMY
        self.names = {cluster.pk: escape(cluster.name) for cluster in mesh.clusters}
        page = reverse("peers:edit_peer", args=[NOBODY]).split(str(NOBODY))
        self.before_pk, self.after_pk = map(escape, page)
        self.set_up = escape(reverse("mesh:set_up"))
        self.plus = self.icon("plus")
        self.ages: dict[datetime | None, str] = {}
        self.looks = {
            value: (outcome(value), outcome_label(value), self.icon(outcome(value)))
            for value in {cell.outcome for row in mesh.rows for cell in row[1]}
            | {cluster.health for cluster in mesh.clusters}
        }

    def icon(self, name: str) -> str:
        """A symbol of the sprite; short where there are thousands."""
        if not self.dense:
            return icon(name)
        return format_html(
            '<svg class="icon icon-{0}"><use href="{1}#{0}"/></svg>',
            name,
            static("icons.svg"),
        )

    def html(self) -> SafeString:
        columns = "".join(
            f'<th scope="col" title="{self.names[cluster.pk]}">'
            f"{self.names[cluster.pk]}</th>"
            for cluster in self.mesh.clusters
        )
        rows = "".join(self.row(home, cells) for home, cells in self.mesh.rows)
        # Nothing foreign is in it that did not go through escape above.
        return mark_safe(  # noqa: S308
            f'<table class="matrix{" dense" if self.dense else ""}">'
            '<caption class="visually-hidden">Peers of each home cluster (row) to '
            "each remote cluster (column)</caption>"
            f'<thead><tr><th scope="col">Home</th>{columns}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )

    def row(self, home: Cluster, cells: list[Cell]) -> str:
        name = self.names[home.pk]
        url = escape(home.get_absolute_url())
        head = f'<th scope="row"><a href="{url}" title="{name}">{name}</a></th>'
        return f"<tr>{head}{''.join(map(self.cell, cells))}</tr>"

    def cell(self, cell: Cell) -> str:
        if cell.peer is not None:
            return self.peer(cell, cell.peer)
        if cell.home is cell.remote:
            return self.health(cell.home)
        return self.missing(cell)

    def peer(self, cell: Cell, peer: PeerStatus) -> str:
        kind, word, drawn = self.looks[peer.outcome]
        here = "?" if peer.associated_users is None else peer.associated_users
        there = "?" if peer.remote_users is None else peer.remote_users
        half, told = (" half", ", no entry back") if cell.one_sided else ("", "")
        if peer.drifted:
            half, told = f"{half} drifted", f"{told}, changed on the cluster"
        elif peer.removed_there:
            half, told = f"{half} drifted", f"{told}, removed on the cluster"
        count = "" if self.dense else f'<span class="count">{here} / {there}</span>'
        return (
            f'<td class="{kind}{half}">'
            f'<a href="{self.before_pk}{peer.pk}{self.after_pk}" '
            f'title="{self.names[cell.home.pk]} to {self.names[cell.remote.pk]}: '
            f'{word}{told}, {here} of {there} users, {self.seen(peer.checked_at)}">'
            f"{drawn}{count}</a></td>"
        )

    def seen(self, at: datetime | None) -> str:
        """When a status was seen; thousands were seen within a few minutes."""
        minute = at and at.replace(second=0, microsecond=0)
        if minute not in self.ages:
            shown = minute and date_format(timezone.localtime(minute), "Y-m-d H:i T")
            self.ages[minute] = f"checked {shown}" if shown else "never checked"
        return self.ages[minute]

    def health(self, cluster: Cluster) -> str:
        kind, word, drawn = self.looks[cluster.health]
        told = f"Health of {self.names[cluster.pk]}: {word}"
        count = "" if self.dense else '<span class="count muted">health</span>'
        return (
            f'<td class="self {kind}"><span role="img" aria-label="{told}" '
            f'title="{told}">{drawn}{count}</span></td>'
        )

    def missing(self, cell: Cell) -> str:
        home, remote = self.names[cell.home.pk], self.names[cell.remote.pk]
        if not self.offering:
            return (
                f'<td class="none"><span class="visually-hidden">No peer of {home} '
                f"to {remote}</span></td>"
            )
        return (
            f'<td class="none"><a href="{self.set_up}?one={cell.home.pk}&amp;'
            f'other={cell.remote.pk}" title="Set up the missing peer of {home} to '
            f'{remote}">{self.plus}</a></td>'
        )
