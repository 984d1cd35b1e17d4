"""Words for plans."""

from collections.abc import Collection
from uuid import UUID

from django import template
from django.utils.safestring import SafeString

from mesh.matrix import Mesh
from mesh.matrix_html import MatrixDrawing

register = template.Library()

ACTIONS = {
    "create": "New entry",
    "update": "Changed",
    "delete": "Deleted",
    "none": "No change",
}


SOURCES = {
    "table": "peer table",
    "pages": "administration pages",
    "users": "synchronized users",
    "nodes": "node table",
}


@register.filter
def source_label(kind: str) -> str:
    """Say by what another cluster, or its entry, is seen."""
    return SOURCES.get(kind, "")


@register.filter
def action_label(action: str) -> str:
    return ACTIONS[action]


@register.simple_tag
def matrix(
    mesh: Mesh,
    offering: bool,
    dense: bool = False,
    maintained: Collection[UUID] = (),
) -> SafeString:
    drawing = MatrixDrawing(
        mesh, offering=bool(offering), dense=bool(dense), maintained=maintained
    )
    return drawing.html()
