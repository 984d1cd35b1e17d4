"""Problems in templates: links that the person may follow, and those of a cluster."""

from typing import Any

from django import template

from clusters.models import Cluster
from jobs.models import Job
from overview.models import Problem
from overview.renewal import renew_if_outdated
from ui.templatetags.ui import may_open

register = template.Library()


@register.simple_tag(takes_context=True)
def fix_of(context: template.Context, problem: Problem) -> str:
    """The page of a problem's fix; empty where the person's role does not open it."""
    return may_open(context, problem.visible_fix_url)


@register.inclusion_tag("overview/_of_cluster.html", takes_context=True)
def problems_of(context: template.Context, cluster: Cluster) -> dict[str, Any]:
    """The problems that touch a cluster."""
    renew_if_outdated()
    found = Problem.objects.filter(touches__cluster=cluster.pk)
    shared = {name: context.get(name) for name in ("request", "may_operate")}
    return {**shared, "problems": found, "cluster": cluster}


# What keeps a job from a cluster, and is fixed on a page of its own.
BLOCKING = (
    "certificate_changed",
    "certificate_unconfirmed",
    "certificate_expired",
    "cluster_unreachable",
    "credentials_refused",
    "no_publisher",
    "node_axl",
    "node_unreachable",
    "role_missing",
)


@register.inclusion_tag("overview/_causes.html", takes_context=True)
def causes_of(context: template.Context, job: Job) -> dict[str, Any]:
    """The problems that may be why a job did not succeed."""
    found: Any = ()
    if not job.active and job.state != Job.State.SUCCEEDED:
        clusters = job.on.values("cluster")
        touching = Problem.objects.filter(touches__cluster__in=clusters)
        found = touching.filter(code__in=BLOCKING).distinct()
    return {"request": context["request"], "problems": found}
