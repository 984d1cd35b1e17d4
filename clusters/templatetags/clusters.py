"""Whether there is anything to show."""

from django import template

from clusters.models import Cluster

register = template.Library()


@register.simple_tag
def no_clusters() -> bool:
    """Whether the current user can access no cluster; for pages that came out empty."""
    return not Cluster.objects.exists()
