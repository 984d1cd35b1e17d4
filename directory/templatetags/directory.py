"""Numbers of users, which are often large."""

from django import template

register = template.Library()


@register.filter
def commas(number: int | None) -> str:
    """Group the digits of a count: 75,000."""
    return "–" if number is None else f"{number:,}"
