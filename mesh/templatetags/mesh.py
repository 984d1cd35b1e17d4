"""Words for plans."""

from django import template
from django.utils.safestring import SafeString

from mesh.drawing import Drawing
from mesh.matrix import Mesh
from peers.models import Peer

register = template.Library()

ACTIONS = {
    "create": "New entry",
    "update": "Changed",
    "delete": "Deleted",
    "none": "As wanted",
}


@register.filter
def action_label(action: str) -> str:
    return ACTIONS[action]


@register.filter
def field_label(name: str) -> str:
    """Return the label of a peer's field as its form shows it."""
    field = Peer._meta.get_field(name)
    return str(getattr(field, "verbose_name", name)).capitalize()


@register.simple_tag
def matrix(mesh: Mesh, offering: bool) -> SafeString:
    return Drawing(mesh, offering=bool(offering)).html()
