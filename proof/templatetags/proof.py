"""Presence in the templates of other apps: a peer's line, a cluster's canary."""

from typing import Any

from django import template

from clusters.models import Cluster
from peers.models import Peer
from proof.lines import line_of
from proof.models import Canary

register = template.Library()


@register.inclusion_tag("proof/_line.html", takes_context=True)
def presence_line(context: template.Context, peer: Peer) -> dict[str, Any]:
    """The line of the status pane about presence itself."""
    return {**shared(context), "peer": peer, "line": line_of(peer)}


@register.inclusion_tag("proof/_canary.html", takes_context=True)
def canary_of(context: template.Context, cluster: Cluster) -> dict[str, Any]:
    """The panel of a cluster's canary user."""
    row = Canary.objects.filter(pk=cluster.pk).select_related("home_node").first()
    return {**shared(context), "cluster": cluster, "canary": row}


def shared(context: template.Context) -> dict[str, Any]:
    names = ("request", "csrf_token", "may_operate", "may_administer")
    return {name: context.get(name) for name in names}
