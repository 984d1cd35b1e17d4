"""What every template says the same way: outcomes, ages, durations, icons."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from django import template
from django.forms import BoundField
from django.template.base import Parser, Token
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from accounts import scope

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
    return cluster is not None and scope.admits(cluster.pk)


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
def notice_outcome(level_tag: str) -> str:
    return NOTICE_OUTCOMES.get(level_tag, "information")


@register.filter
def state_label(value: str | None) -> str:
    """Say a stored value as a word: needs_attention is Needs attention."""
    return str(value or "unknown").replace("_", " ").capitalize()


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
            told = f"{count} {unit}" if count == 1 else f"{count} {unit}s"
            return f"in {told}" if ahead else f"{told} ago"
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
def widget_kind(field: BoundField) -> str:
    """Name the widget's input type, since a check box stands before its label."""
    return getattr(field.field.widget, "input_type", "") or ""
