"""Certificates in the templates of other apps: of a peer, of a cluster."""

from typing import Any

from django import template

from clusters.models import Cluster
from exchange.grid_html import in_days
from exchange.models import NodeCertificates
from exchange.peer_list import peer_list
from peers.models import Peer

register = template.Library()


@register.filter
def until_expiry(days: int | None) -> str:
    """When a certificate ends, in words."""
    return "expiry not known" if days is None else in_days(days)


@register.inclusion_tag("exchange/_peer_list.html")
def peer_certificates(peer: Peer) -> dict[str, Any]:
    """The vendor's check marks of a peer, rebuilt."""
    return {"peer": peer, "list": peer_list(peer)}


@register.inclusion_tag("exchange/_of_cluster.html", takes_context=True)
def certificates_of(context: template.Context, cluster: Cluster) -> dict[str, Any]:
    """Whether the certificates of a cluster's nodes can be read, and why not."""
    rows = NodeCertificates.objects.filter(node__cluster=cluster).select_related("node")
    names = ("request", "csrf_token", "may_operate", "may_administer")
    shared = {name: context.get(name) for name in names}
    return {**shared, "cluster": cluster, "rows": rows}
