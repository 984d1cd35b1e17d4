"""The matrix as HTML. Thousands of cells: a template takes seconds for them.

Every foreign text is escaped once, before it goes into any cell.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from clusters.models import Cluster
from mesh.matrix import ROOMY, Cell, Mesh, PeerCell, short_id
from ui.names import shorten_name
from ui.templatetags.ui import commas, icon, outcome, outcome_label

NOBODY = UUID(int=0)


class MatrixDrawing:
    """Draws one matrix for one person.

    Args:
        offering: whether a missing peer is a link that sets it up.
        dense: whether cells have no room for counts; by default as many clusters need.
        maintained: clusters in maintenance; their rows say so.
    """

    def __init__(
        self,
        mesh: Mesh,
        *,
        offering: bool,
        dense: bool | None = None,
        maintained: Collection[UUID] = (),
    ) -> None:
        self.mesh = mesh
        self.maintained = maintained
        self.offering = offering
        self.dense = len(mesh.clusters) > ROOMY if dense is None else dense
        self.names = {cluster.pk: escape(cluster.name) for cluster in mesh.clusters}
        # What thousands of cells need is short, since a browser must read it all.
        self.ids = {cluster.pk: short_id(cluster) for cluster in mesh.clusters}
        self.pair = escape(reverse("mesh:pair"))
        page = reverse("peers:edit_peer", args=[NOBODY]).split(str(NOBODY))
        self.before_pk, self.after_pk = map(escape, page)
        self.set_up = escape(reverse("mesh:set_up"))
        self.plus = self.icon("plus")
        self.ages: dict[datetime | None, str] = {}
        self.icons = {
            value: (outcome(value), outcome_label(value), self.icon(outcome(value)))
            for value in {cell.outcome for row in mesh.rows for cell in row[1]}
            | {cluster.health for cluster in mesh.clusters}
        }

    def icon(self, name: str) -> str:
        """A symbol of the sprite; a dense matrix draws them by its style sheet."""
        return "" if self.dense else icon(name)

    def html(self) -> SafeString:
        columns = "".join(map(self.column, self.mesh.clusters))
        rows = "".join(self.row(home, cells) for home, cells in self.mesh.rows)
        # Nothing foreign is in it that did not go through escape above.
        return mark_safe(  # noqa: S308
            f'<table class="matrix{" dense" if self.dense else ""}">'
            '<caption class="visually-hidden">Peers of each home cluster (row) to '
            "each remote cluster (column)</caption>"
            f'<thead><tr><th scope="col">Home</th>{columns}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )

    def short_name(self, cluster: Cluster) -> str:
        """The name as it fits: what tells two names apart is mostly their end."""
        if not self.dense:
            return self.names[cluster.pk]
        return escape(shorten_name(cluster.name))

    def column(self, cluster: Cluster) -> str:
        name = self.names[cluster.pk]
        return f'<th scope="col" title="{name}">{self.short_name(cluster)}</th>'

    def row(self, home: Cluster, cells: list[Cell]) -> str:
        name = self.names[home.pk]
        url = escape(home.get_absolute_url())
        text = self.short_name(home)
        badge = in_maintenance() if home.pk in self.maintained else ""
        head = f'<th scope="row"><a href="{url}" title="{name}">{text}</a>{badge}</th>'
        return f"<tr>{head}{''.join(map(self.cell, cells))}</tr>"

    def cell(self, cell: Cell) -> str:
        if cell.peer is not None:
            return self.peer(cell, cell.peer)
        if cell.home is cell.remote:
            return self.health(cell.home)
        return self.missing(cell)

    def peer(self, cell: Cell, peer: PeerCell) -> str:
        kind, word, drawn = self.icons[peer.outcome]
        here = commas(peer.associated_users, "?")
        there = commas(peer.remote_users, "?")
        half, note = (" half", ", no matching entry") if cell.one_sided else ("", "")
        if peer.drifted:
            half, note = f"{half} drifted", f"{note}, changed on the cluster"
        elif peer.removed_there:
            half, note = f"{half} drifted", f"{note}, removed on the cluster"
        if self.dense:
            # The heads of its row and column say the rest.
            title = f"{word}{note}, {here} of {there}"
            return f'<td class="{kind}{half}">{self.link(cell, title)}</td>'
        count = f'<span class="count">{here} / {there}</span>'
        return (
            f'<td class="{kind}{half}">'
            f'<a href="{self.before_pk}{peer.pk}{self.after_pk}" '
            f'title="{self.names[cell.home.pk]} to {self.names[cell.remote.pk]}: '
            f'{word}{note}, {here} of {there} users, {self.seen(peer.checked_at)}">'
            f"{drawn}{count}</a></td>"
        )

    def link(self, cell: Cell, title: str) -> str:
        home, remote = self.ids[cell.home.pk], self.ids[cell.remote.pk]
        url = f"{self.pair}?home={home}&amp;remote={remote}"
        return f'<a href="{url}" title="{title}"></a>'

    def seen(self, at: datetime | None) -> str:
        """When a status was seen; thousands were seen within a few minutes."""
        minute = at and at.replace(second=0, microsecond=0)
        if minute not in self.ages:
            time = minute and date_format(timezone.localtime(minute), "Y-m-d H:i T")
            self.ages[minute] = f"checked {time}" if time else "never checked"
        return self.ages[minute]

    def health(self, cluster: Cluster) -> str:
        kind, word, drawn = self.icons[cluster.health]
        title = f"Health of {self.names[cluster.pk]}: {word}"
        count = "" if self.dense else '<span class="count muted">health</span>'
        return (
            f'<td class="self {kind}"><span role="img" aria-label="{title}" '
            f'title="{title}">{drawn}{count}</span></td>'
        )

    def missing(self, cell: Cell) -> str:
        home, remote = self.names[cell.home.pk], self.names[cell.remote.pk]
        if not self.offering:
            return (
                f'<td class="none"><span class="visually-hidden">No peer of {home} '
                f"to {remote}</span></td>"
            )
        if self.dense:
            return f'<td class="none">{self.link(cell, "Set up")}</td>'
        return (
            f'<td class="none"><a href="{self.set_up}?one={cell.home.pk}&amp;'
            f'other={cell.remote.pk}" title="Set up the missing peer of {home} to '
            f'{remote}">{self.plus}</a></td>'
        )


def in_maintenance() -> str:
    return (
        f'<span class="maintained" title="In maintenance">{icon("tool")}'
        '<span class="visually-hidden">in maintenance</span></span>'
    )
