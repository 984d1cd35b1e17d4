"""The table as HTML. Thousands of cells: a template takes seconds for them.

Every foreign text is escaped once, before it goes into any cell.
"""

from uuid import UUID

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from exchange.grid import Grid, Row, word_for
from exchange.judge import TrustState
from exchange.pairs import TrustCell, TrustCluster
from ui.names import shared_domain, shorten_host, shorten_name
from ui.templatetags.ui import icon

NOBODY = UUID(int=0)
WORDS = {
    "trusted": "Trusted",
    "missing": "Missing",
    "old": "Old",
    "expired": "Expired",
    "expiring": "Expires soon",
    "unknown": "Not known",
}


class Drawing:
    """Draws the rows of one page of a grid."""

    def __init__(self, grid: Grid, rows: list[Row]) -> None:
        self.grid = grid
        self.rows = rows
        self.dense = grid.dense
        self.domain = shared_domain(row.node.name for row in rows)
        self.names = {one.id: escape(one.name) for one in grid.columns}
        page = reverse("exchange:pair", args=[NOBODY]).split(str(NOBODY))
        self.before_pk, self.after_pk = map(escape, page)
        node = reverse("clusters:show_node", args=[NOBODY]).split(str(NOBODY))
        self.before_node, self.after_node = map(escape, node)
        outcomes = ("passed", "failed", "warning", "unknown")
        self.icons = {name: "" if self.dense else icon(name) for name in outcomes}

    def html(self) -> SafeString:
        columns = "".join(map(self.column, self.grid.columns))
        rows = "".join(map(self.row, self.rows))
        # Nothing foreign is in it that did not go through escape above.
        return mark_safe(  # noqa: S308
            f'<table class="matrix{" dense" if self.dense else ""}">'
            '<caption class="visually-hidden">Whether each node (row) trusts the '
            "certificates of each remote cluster (column)</caption>"
            f'<thead><tr><th scope="col">Node</th>{columns}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )

    def column(self, cluster: TrustCluster) -> str:
        name = self.names[cluster.id]
        shown = escape(shorten_name(cluster.name)) if self.dense else name
        return f'<th scope="col" title="{name}">{shown}</th>'

    def row(self, row: Row) -> str:
        name = escape(row.node.name)
        title = f"{name} ({escape(row.cluster.name)})"
        url = f"{self.before_node}{row.node.id}{self.after_node}"
        short = shorten_host(row.node.name, self.domain)
        text = escape(short) if self.dense else name
        head = f'<th scope="row"><a href="{url}" title="{title}">{text}</a></th>'
        cells = "".join(self.cell(row, one) for one in self.grid.columns)
        return f"<tr>{head}{cells}</tr>"

    def cell(self, row: Row, remote: TrustCluster) -> str:
        cell = row.cells.get(remote.id)
        if cell is None:
            return '<td class="none"></td>'
        word = word_for(cell)
        peer = self.grid.found.peers[row.cluster.id, remote.id]
        url = f"{self.before_pk}{peer}{self.after_pk}"
        kind = f"{cell.outcome.value}{' old' if word == 'old' else ''}"
        if self.dense:
            # The heads of its row and column say the rest.
            title = f"{WORDS[word]}{ends(cell)}"
            return f'<td class="{kind}"><a href="{url}" title="{title}"></a></td>'
        shown = short(word, cell)
        return (
            f'<td class="{kind}"><a href="{url}" title="{escape(row.node.name)} to '
            f'{self.names[remote.id]}: {WORDS[word]}{ends(cell)}">'
            f'{self.icons[cell.outcome.value]}<span class="count">{shown}</span></a>'
            "</td>"
        )


def ends(cell: TrustCell) -> str:
    """When the first certificate of the remote cluster ends, if that is known."""
    if cell.days is None:
        return ""
    known = "" if cell.state is not TrustState.UNKNOWN else ", trust not known"
    return f", {in_days(cell.days)}{known}"


def in_days(days: int) -> str:
    if days < 0:
        return "expired"
    return "expires in 1 day" if days == 1 else f"expires in {days:,} days"


def short(word: str, cell: TrustCell) -> str:
    if word in ("trusted", "expiring") and cell.days is not None:
        return f"{cell.days:,} day{'' if cell.days == 1 else 's'}"
    return WORDS[word].lower()
