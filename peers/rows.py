"""The rows of Find and List as HTML, built here because templates take ten times as
long for a full page. Every text that comes from a row goes through `escape` once.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from html import escape
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from cupadmin.templatetags.cupadmin import age_tag, icon, outcome_label
from peers.links import Head, Links

STATES = {
    "pending": ("running", "clock", "Not written yet"),
    "absent": ("failed", "failed", "Not on the cluster"),
    "failed": ("failed", "failed", "Could not be written"),
    "drifted": ("warning", "warning", "Changed on the cluster"),
}
NOT_MANAGED = '<span class="muted">not managed</span>'
NOT_KNOWN = '<span class="muted" title="Not known yet">–</span>'
NEVER = '<span class="age">never</span>'
REMOVING = ' <span class="pill warning">Being removed</span>'


def options(texts: Iterable[str]) -> SafeString:
    """What a datalist suggests."""
    # Each text goes through escape.
    return mark_safe(  # noqa: S308
        "".join(f'<option value="{escape(text)}"></option>' for text in texts)
    )


def heads(links: Links) -> SafeString:
    """The heads of the columns; the sorted one leads to the other direction."""
    # All is ours but the URL, which goes through escape.
    return mark_safe("".join(map(head, links.heads())))  # noqa: S308


def head(column: Head) -> str:
    css = f' class="{column.css}"' if column.css else ""
    now = f' aria-sort="{column.sorted}"' if column.sorted else ""
    return (
        f'<th scope="col"{css}{now}><a id="sort-{column.name}" '
        f'href="{escape(column.url)}">{column.label} {icon(column.icon)}</a></th>'
    )


class Rows:
    """Draws the rows of one page.

    Args:
        names: the names of all clusters, which many rows share.
        others: remote clusters that have a name, but no page for whoever asks.
        selectable: whether each row has a check box.
        selected: whether the boxes are checked.
    """

    def __init__(
        self,
        names: Mapping[UUID, str],
        *,
        selectable: bool,
        selected: bool,
        others: Mapping[UUID, str] | None = None,
    ) -> None:
        self.selectable = selectable
        self.checked = " checked" if selected else ""
        self.names = {pk: escape(name) for pk, name in names.items()}
        before, after = around("peers:show_cluster")
        self.links = {
            pk: f'<a href="{before}{pk}{after}">{name}</a>'
            for pk, name in self.names.items()
        }
        self.links |= {pk: escape(name) for pk, name in (others or {}).items()}
        self.before_pk, self.after_pk = around("peers:edit_peer")
        self.copy = icon("copy")
        self.zone, self.now = timezone.get_current_timezone(), timezone.now()

    def html(self, peers: Iterable[Any]) -> SafeString:
        """The rows; each has the columns that the view names."""
        # Nothing foreign is in them that did not go through escape.
        return mark_safe("\n".join(map(self.row, peers)))  # noqa: S308

    def row(self, peer: Any) -> str:
        address, username = escape(peer.address), escape(peer.username)
        return (
            f'<tr>{self.select(peer, address)}<td class="col-status">'
            f'{outcome(peer.outcome)}</td><td><span class="address">'
            f'<a class="mono" href="{self.before_pk}{peer.pk}{self.after_pk}">'
            f'{address}</a><button class="button quiet icon-only small copy js-only" '
            f'type="button" data-copy="{address}" aria-label="Copy {address}" '
            f'title="Copy">{self.copy}</button></span>{state(peer)}</td>'
            f'<td class="wrap">{self.links.get(peer.cluster_id, "")}</td>'
            '<td class="wrap">'
            f"{self.links.get(peer.remote_cluster_id, NOT_MANAGED)}</td>"
            f'<td class="mono truncate" title="{username}">{username}</td>'
            f"<td>{escape(peer.protocol)}</td>"
            f'<td class="num">{users(peer.associated_users, peer.remote_users)}</td>'
            f'<td class="nowrap">{self.when(peer.checked_at)}</td></tr>'
        )

    def select(self, peer: Any, address: str) -> str:
        if not self.selectable:
            return ""
        return (
            '<td class="col-select"><input class="select-row" type="checkbox" '
            f'name="peer" value="{peer.pk}" aria-label="Select {address} on '
            f'{self.names.get(peer.cluster_id, "")}"{self.checked}></td>'
        )

    def when(self, at: datetime | None) -> str:
        return age_tag(self.now, at, self.zone, focus=True) if at else NEVER


@cache
def around(name: str) -> tuple[str, str]:
    """What stands before and behind the id in the URL of any row's page."""
    nobody = str(UUID(int=0))
    before, after = reverse(name, args=[nobody]).split(nobody)
    return before, after


@cache
def outcome(name: str) -> SafeString:
    html = '<span class="outcome {}">{}<span>{}</span></span>'
    return format_html(html, name, icon(name), outcome_label(name))


def state(peer: Any) -> str:
    if peer.removing:
        return REMOVING
    changed = peer.drift and peer.provisioning_state == "applied"
    return pill("drifted" if changed else peer.provisioning_state)


@cache
def pill(provisioning_state: str) -> str:
    if provisioning_state not in STATES:
        return ""
    kind, symbol, text = STATES[provisioning_state]
    html = ' <span class="pill {}">{} {}</span>'
    return format_html(html, kind, icon(symbol), text)


def users(here: int | None, there: int | None) -> str:
    """Both counts; only both equal is good."""
    if here is None and there is None:
        return NOT_KNOWN
    differ = "" if here == there else differing()
    return (
        f"{differ}{'?' if here is None else here} / {'?' if there is None else there}"
    )


@cache
def differing() -> SafeString:
    html = (
        '<span class="outcome warning" title="{0}">{1}'
        '<span class="visually-hidden">{0}</span></span> '
    )
    return format_html(html, "The counts differ", icon("warning"))
