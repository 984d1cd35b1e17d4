"""Numbers of the sizing page."""

from django import template

register = template.Library()


@register.filter
def figure(value: float | None, places: int = 0) -> str:
    """Group the thousands; what is not known is said in a word."""
    if value is None:
        return "unknown"
    return f"{value:,.{places}f}"


@register.filter
def plain(value: float) -> str:
    """A number as it is typed, without a fraction that it does not have."""
    return f"{value:g}"


@register.filter
def kbit(bits: float) -> str:
    """Bits per second in kbit/s."""
    return f"{bits / 1000:,.1f}"


@register.filter
def of_100(percent: float) -> float:
    """A percentage as a bar takes it."""
    return min(percent, 100)


@register.filter
def signed(value: float) -> str:
    """A difference, with its sign."""
    return f"{value:+,.0f}"
