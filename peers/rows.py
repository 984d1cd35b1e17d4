"""The rows of Find and List as HTML, built here because templates take ten times as
long for a full page. Everything that comes from a row is escaped by `format_html`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from cupadmin.templatetags.cupadmin import age, icon, outcome_label
from peers.models import Peer

ROW = (
    '<tr>{}<td class="col-status">{}</td>'
    '<td><span class="address"><a class="mono" href="{}">{}</a>{}</span>{}</td>'
    '<td class="wrap">{}</td><td class="wrap">{}</td>'
    '<td class="mono truncate" title="{}">{}</td><td>{}</td>'
    '<td class="num">{}</td><td class="nowrap">{}</td></tr>'
)
COPY = (
    '<button class="button quiet icon-only small copy js-only" type="button" '
    'data-copy="{0}" aria-label="Copy {0}" title="Copy">{1}</button>'
)
SELECT = (
    '<td class="col-select"><input class="select-row" type="checkbox" name="peer" '
    'value="{}" aria-label="Select {}"{}></td>'
)
STATES = {
    "pending": ("running", "clock", "Not written yet"),
    "absent": ("failed", "failed", "Not on the cluster"),
    "failed": ("failed", "failed", "Could not be written"),
}
NOTHING = SafeString("")
NOT_MANAGED = SafeString('<span class="muted">not managed</span>')


def rows_as_html(
    peers: Iterable[Peer],
    names: Mapping[UUID, str],
    *,
    selectable: bool,
    selected: bool,
) -> SafeString:
    """The rows; `names` are those of the clusters, which many rows share."""
    page, copy = page_of("peers:edit_peer"), icon("copy")
    checked = SafeString(" checked") if selected else NOTHING
    links: dict[UUID | None, SafeString] = {None: NOT_MANAGED}
    links |= {pk: link(pk, name) for pk, name in names.items()}
    return format_html_join(
        "\n",
        ROW,
        (
            (
                select(peer, names, checked) if selectable else NOTHING,
                outcome(peer.outcome),
                page.replace("*", str(peer.pk)),
                peer.address,
                format_html(COPY, peer.address, copy),
                state(peer),
                links.get(peer.cluster_id, NOTHING),
                links.get(peer.remote_cluster_id, NOT_MANAGED),
                peer.username,
                peer.username,
                peer.protocol,
                users(peer.associated_users, peer.remote_users),
                when(peer.checked_at),
            )
            for peer in peers
        ),
    )


def select(peer: Peer, names: Mapping[UUID, str], checked: SafeString) -> SafeString:
    label = f"{peer.address} on {names.get(peer.cluster_id, '')}"
    return format_html(SELECT, peer.pk, label, checked)


@cache
def page_of(name: str) -> str:
    """The URL of any row's page, with a star for the row."""
    nobody = "00000000-0000-0000-0000-000000000000"
    return reverse(name, args=[nobody]).replace(nobody, "*")


@cache
def outcome(name: str) -> SafeString:
    html = '<span class="outcome {}">{}<span>{}</span></span>'
    return format_html(html, name, icon(name), outcome_label(name))


def state(peer: Peer) -> SafeString:
    if peer.removing:
        return SafeString(' <span class="pill warning">Being removed</span>')
    return pill(peer.provisioning_state)


@cache
def pill(provisioning_state: str) -> SafeString:
    if provisioning_state not in STATES:
        return NOTHING
    kind, symbol, text = STATES[provisioning_state]
    html = ' <span class="pill {}">{} {}</span>'
    return format_html(html, kind, icon(symbol), text)


def link(pk: UUID, name: str) -> SafeString:
    url = page_of("peers:show_cluster").replace("*", str(pk))
    return format_html('<a href="{}">{}</a>', url, name)


def users(here: int | None, there: int | None) -> SafeString:
    """Both counts; only both equal is good."""
    if here is None and there is None:
        return SafeString('<span class="muted" title="Not known yet">–</span>')
    counts = ["?" if count is None else count for count in (here, there)]
    return format_html("{}{} / {}", NOTHING if here == there else differing(), *counts)


@cache
def differing() -> SafeString:
    html = (
        '<span class="outcome warning" title="{0}">{1}'
        '<span class="visually-hidden">{0}</span></span> '
    )
    return format_html(html, "The counts differ", icon("warning"))


def when(at: datetime | None) -> SafeString:
    if at is None:
        return SafeString('<span class="age">never</span>')
    local = timezone.localtime(at)
    return format_html(
        '<time class="age" tabindex="0" datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        local.strftime("%Y-%m-%d %H:%M:%S %Z"),
        age(at),
    )
