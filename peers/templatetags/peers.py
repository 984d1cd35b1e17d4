"""Words for the fields of peers."""

from django import template

from peers.models import Peer

register = template.Library()


@register.filter
def field_label(name: str) -> str:
    """Return the label of a peer's field as its form shows it."""
    field = Peer._meta.get_field(name)
    return str(getattr(field, "verbose_name", name)).capitalize()
