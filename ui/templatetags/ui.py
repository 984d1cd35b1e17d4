"""What every template says the same way: outcomes, ages, durations, icons."""

from collections.abc import Container, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.apps import apps
from django.forms import BoundField
from django.template.base import Parser, Token
from django.templatetags.static import static
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts import cluster_limits
from accounts.roles import Role, has_role
from jobs.models import Job
from jobs.waiting import is_waiting, served_queues, waiting_for

register = template.Library()

OUTCOMES = {
    "passed": "Passed",
    "failed": "Failed",
    "warning": "Warning",
    "information": "Information",
    "unknown": "Unknown",
    "running": "Running",
}
STATE_OUTCOMES = {
    "succeeded": "passed",
    "done": "passed",
    "applied": "passed",
    "ok": "passed",
    "started": "passed",
    "trusted": "passed",
    "failed": "failed",
    "stopped": "failed",
    "changed": "failed",
    "warning": "warning",
    "needs_attention": "warning",
    "rolled_back": "warning",
    "running": "running",
    "starting": "running",
    "stopping": "running",
}
NOTICE_OUTCOMES = {"success": "passed", "warning": "warning", "error": "failed"}
# As in ages.js, which says them again while the page stays open.
UNITS = (
    ("year", 31_536_000),
    ("month", 2_592_000),
    ("week", 604_800),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
)


@register.filter
def in_sight(cluster: Any) -> bool:
    """Whether a link to this cluster leads anywhere for whoever asks."""
    return cluster is not None and cluster_limits.limit_admits(cluster.pk)


class Constant(template.Node):
    """Keeps what its nodes said the first time.

    They see no variables, so that nothing of one person can be shown to another.
    """

    child_nodelists = ("nodes",)

    def __init__(self, nodes: template.NodeList) -> None:
        self.nodes = nodes
        self.html: SafeString | None = None

    def render(self, context: template.Context) -> SafeString:
        if self.html is None:
            source: Any = context.template
            empty = template.Context()
            with empty.bind_template(source):
                self.html = self.nodes.render(empty)
        return self.html


@register.tag
def constant(parser: Parser, token: Token) -> Constant:
    """Render what stands up to `endconstant` once per process."""
    nodes = parser.parse(["endconstant"])
    parser.delete_first_token()
    return Constant(nodes)


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str) -> SafeString:
    """Draw a symbol of the sprite: decoration, for the word stands beside it."""
    return format_html(
        '<svg class="icon icon-{0}" width="16" height="16" aria-hidden="true">'
        '<use href="{1}#{0}"></use></svg>',
        name,
        static("icons.svg"),
    )


@register.filter
def outcome(value: str | None) -> str:
    """Reduce any outcome or state to one of the outcomes that have an icon."""
    value = str(value or "")
    return value if value in OUTCOMES else STATE_OUTCOMES.get(value, "unknown")


@register.filter
def outcome_label(value: str | None) -> str:
    return OUTCOMES[outcome(value)]


@register.filter
@lru_cache(maxsize=64)
def outcome_mark(value: str) -> SafeString:
    """The same as components/_outcome.html, where includes would be many."""
    html = '<span class="outcome {0}">{1}<span>{2}</span></span>'
    return format_html(html, outcome(value), icon(outcome(value)), outcome_label(value))


@register.filter
def age_mark(at: datetime | None) -> SafeString:
    """The same as components/_age.html."""
    if at is None:
        return SafeString('<span class="age">never</span>')
    zone = timezone.get_current_timezone()
    # All of it is ours: a time and words.
    return mark_safe(age_tag(timezone.now(), at, zone, focus=True))  # noqa: S308


@register.filter
def notice_outcome(level_tag: str) -> str:
    return NOTICE_OUTCOMES.get(level_tag, "information")


@register.filter
def state_label(value: str | None) -> str:
    """Say a stored value as a word: needs_attention is Needs attention."""
    return str(value or "unknown").replace("_", " ").capitalize()


# Words of names that are no words when they are capitalised.
ACRONYMS = {
    "axl": "AXL",
    "sip": "SIP",
    "tls": "TLS",
    "ca": "CA",
    "id": "ID",
    "ip": "IP",
}


@register.filter
def field_words(name: str, object_type: str = "") -> str:
    """Say the name of a stored field as the forms do: axl_username is AXL username."""
    for model in apps.get_models() if object_type else ():
        if model._meta.model_name == object_type:
            for field in model._meta.get_fields():
                words = getattr(field, "verbose_name", "")
                if field.name == name and words:
                    name = str(words)
    words = " ".join(ACRONYMS.get(w, w) for w in name.replace("_", " ").split())
    return words[:1].upper() + words[1:]


# Words that the console uses in a sense of its own.
TERMS = {
    "sweep": "A check of all nodes and peers, one after the other, at an interval.",
    "drift": "A change that was made to an entry on the cluster itself, not here.",
    "guided": "The console shows what to enter on the cluster's own pages, and looks "
    "for the result.",
    "evidence": "By what a result is known: the peer table, the cluster's pages, its "
    "synchronized users, or a connection that was tried.",
}


@register.simple_tag
def term(name: str, text: str = "") -> SafeString:
    """A word with what it means, on hover and on focus."""
    html = '<dfn class="term" tabindex="0" title="{}">{}</dfn>'
    return format_html(html, TERMS[name], text or name)


STEP_ICONS = {"pending": "clock", "skipped": "minus", "undone": "restart"}


@register.filter
def step_icon(state: str) -> str:
    """The icon of a step: what was skipped differs from what has not started."""
    return STEP_ICONS.get(state) or outcome(state)


register.simple_tag(served_queues)


@register.simple_tag
def waiting_reason(job: Job | None) -> str:
    """Why a job does not start; empty where it only waits for its turn."""
    if job is None or job.state != Job.State.QUEUED:
        return ""
    return waiting_for(job, served_queues()) or ""


@register.filter
def shown_state(job: Job, served: Container[str] | None = None) -> str:
    """The state of a job; "waiting" when a queued one waits for more than its turn."""
    return "waiting" if is_waiting(job, served) else job.state


@register.filter
def commas(number: int | str | None, unknown: str = "–") -> str:
    """Group the digits of a count: 75,000; a template has text for what is missing."""
    return f"{number:,}" if isinstance(number, int) else unknown


@register.filter
def age(at: datetime | None) -> str:
    """Say how long ago, or in how long, in one unit."""
    return "never" if at is None else age_at(timezone.now(), at)


def age_tag(now: datetime, at: datetime, zone: tzinfo, *, focus: bool = False) -> str:
    """The same as components/_age.html, for rows that no template draws.

    Args:
        zone: of the exact time, which the tag tells on hover.
        focus: whether the keyboard comes by.
    """
    local = at.astimezone(zone)
    exact = local.isoformat(timespec="seconds")
    tab = ' tabindex="0"' if focus else ""
    return (
        f'<time class="age"{tab} datetime="{exact}" '
        f'title="{exact[:10]} {exact[11:19]} {local.tzname()}">{age_at(now, at)}</time>'
    )


def age_at(now: datetime, at: datetime) -> str:
    seconds = int((now - at).total_seconds())
    ahead, seconds = seconds < 0, abs(seconds)
    for unit, length in UNITS:
        if seconds >= length:
            count = seconds // length
            text = f"{count} {unit}" if count == 1 else f"{count} {unit}s"
            return f"in {text}" if ahead else f"{text} ago"
    return "in a moment" if ahead else "just now"


@register.filter
def duration(value: timedelta | float | None) -> str:
    """Say a length of time in at most two units: 340 ms, 4.2 s, 3 d 4 h."""
    if value is None:
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    seconds = max(seconds, 0.0)  # two hosts' clocks may disagree
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, secs = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (secs, "s")]
    first = next((i for i, (count, _) in enumerate(units) if count), 3)
    return " ".join(f"{n} {unit}" for n, unit in units[first : first + 2] if n)


@register.filter
def fingerprint(value: str | None) -> SafeString:
    """Group a hex fingerprint in pairs, and let a line break only between them."""
    digits = (value or "").replace(":", "").upper()
    pairs = ((digits[i : i + 2],) for i in range(0, len(digits), 2))
    return format_html_join(mark_safe(":<wbr>"), "{}", pairs)


@register.filter
def took(step: Any) -> timedelta | None:
    """Say how long a step, a job or a run took, or has taken so far."""
    if isinstance(step, Mapping):
        started, finished = step["started_at"], step["finished_at"]
    else:
        started, finished = step.started_at, step.finished_at
    return (finished or timezone.now()) - started if started else None


@register.filter
def breakable(name: str) -> SafeString:
    """Let a line break behind the dots of a name, but not in an IP address."""
    if str(name).rpartition(".")[2].isdigit():
        return conditional_escape(str(name))
    return format_html_join(
        mark_safe(".<wbr>"), "{}", ((part,) for part in str(name).split("."))
    )


@register.filter
def widget_kind(field: BoundField) -> str:
    """Name the widget's input type, since a check box stands before its label."""
    return getattr(field.field.widget, "input_type", "") or ""


@register.filter
def moment(text: str | None) -> datetime | None:
    """Read a time as JSON has it; None for what is none."""
    try:
        at = datetime.fromisoformat(text or "")
    except (TypeError, ValueError):
        return None
    return at if timezone.is_aware(at) else None


KNOWN_BY = {
    "table": "peer table",
    "pages": "administration pages",
    "users": "synchronized users",
    "probe": "tried",
    "services": "Control Center",
    "attested": "attested",
}


@register.filter
def known_by(entry: dict[str, Any]) -> str:
    """Say in a few quiet words by what an entry of a status is known."""
    words = [KNOWN_BY.get(entry.get("evidence", ""), "")]
    if (duration_ms := entry.get("duration_ms")) is not None:
        words.append(f"{duration_ms:.0f} ms")
    return ", ".join(filter(None, words))


@register.simple_tag(takes_context=True)
def may_open(context: template.Context, url: str) -> str:
    """A page of the console; empty where the person's role does not open it."""
    needed = role_needed(urlsplit(url).path) if url else None
    return url if needed and has_role(context["request"].user, needed) else ""


@lru_cache(maxsize=4096)
def role_needed(path: str) -> Role | None:
    """The role that may open a page; None where there is no such page."""
    try:
        view = resolve(path).func
    except Resolver404:
        return None
    return (getattr(view, "access", None) or {}).get("GET")
