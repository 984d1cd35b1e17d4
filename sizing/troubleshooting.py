"""A test of the System Troubleshooter: users against the published limits.

It judges by what was just read; what a person stated of the platform is on the page.
"""

from collections.abc import Mapping
from typing import Any

from diagnostics.answers import Answer
from diagnostics.facts import ClusterFacts
from diagnostics.judge.sources import Source
from diagnostics.judge.tests import ClusterView, Level, Section, register_test
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Verdict,
    failed,
    information,
    unknown,
    warning,
)
from sizing.deployment import ClusterSize
from sizing.limits import release_of
from sizing.warnings import CLUSTER_RULES, FAILED, SEVERITIES, WARNING

PAGE = Fix("sizing:show")
SOLUTION = "Add nodes or another cluster; Presence > Sizing shows each limit."


def sizing_evidence(view: ClusterView) -> Mapping[str, Answer[Any]]:
    return {"Users by node": view.cluster.users, "Version": view.cluster.version}


@register_test(
    Section.TOPOLOGY,
    Level.CLUSTER,
    "users_within_limits",
    "Verify that the cluster and its nodes have no more users than is published for "
    "the release.",
    asks="enduser by node and the version on the publisher",
    failed="A published limit is exceeded.",
    warning="A limit is near, depends on the template, or is contradictory.",
    information="No limit is published for the release, or the users cannot be read.",
    remedy="Add nodes or another cluster; Presence > Sizing shows each limit.",
    sources=[Source.LIMITS],
    evidence=sizing_evidence,
)
def users_within_limits(view: ClusterView) -> Verdict | None:
    here = view.cluster
    if here.counted is None:
        return unknown(f"The users of {here.name} are not known.", here.users)
    if not here.version.value:
        return unknown(f"The release of {here.name} is not known.", here.version)
    found = [warned for rule in CLUSTER_RULES for warned in rule(size_of(here))]
    if not found:
        return PASSED
    worst = min(found, key=lambda one: SEVERITIES.index(one.severity))
    if worst.severity == FAILED:
        return failed(worst.sentence, SOLUTION, PAGE)
    if worst.severity == WARNING:
        return warning(worst.sentence, SOLUTION, PAGE)
    return information(worst.sentence)


def size_of(here: ClusterFacts) -> ClusterSize:
    users = {name: n for name, n in (here.counted or {}).items() if here.owns(name)}
    return ClusterSize(
        here.id,
        here.name,
        release_of(here.version.value or "", here.generation),
        users=sum(users.values()),
        nodes=len(here.process_nodes.value or here.nodes),
        node_users=users,
    )
