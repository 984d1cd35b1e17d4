"""The test of the troubleshooter, and the groups that its runs leave behind."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from clusters.models import Cluster
from diagnostics.answers import Answer
from diagnostics.facts import Facts, HaNode, ProcessNode, Subcluster
from diagnostics.judge.sections import judge_facts
from diagnostics.signals import clusters_recorded
from diagnostics.suggested_actions import url_of
from sizing.models import ClusterPlatform, GroupsSeen
from sizing.reading import read_deployment
from sizing.warnings import find_warnings
from tests.diagnostics.healthy import NOW, cluster, failure
from tests.sizing.conftest import count


def verdict(**spoilt):
    here = cluster(2, 1, **spoilt)
    facts = Facts(NOW, {"two": here})
    (found,) = [
        one.verdict
        for one in judge_facts(facts)
        if one.test.code == "users_within_limits"
    ]
    return found


def users(number):
    return Answer({cluster(2, 1).nodes[0].name: number})


@pytest.mark.parametrize(
    ("version", "number", "outcome"),
    [
        ("8.6.4", 12, "passed"),
        ("8.6.4", 36_000, "warning"),
        ("8.6.4", 45_001, "failed"),
        ("7.0.5", 5_001, "failed"),
        ("9.0.1", 12, "information"),
        ("9.0.1", 14_999, "information"),
        ("9.0.1", 31_000, "failed"),
        ("12.5.1", 12, "information"),
        ("15.0.1", 99_999, "information"),
    ],
)
def test_users_of_a_release(version, number, outcome):
    found = verdict(version=Answer(version), users=users(number))
    assert found.outcome == outcome


def test_what_could_not_be_read_is_not_judged():
    refused = failure("refused")
    assert verdict(users=refused).outcome == "information"
    assert verdict(version=refused).outcome == "information"
    assert verdict(users=users(-1)).outcome == "information"


def test_fix_leads_to_the_page():
    found = verdict(version=Answer("8.6.4"), users=users(45_001))
    assert found.fix is not None
    assert url_of(found.fix.view) == reverse("sizing:show")


NAMES = ("bonn-1.example.com", "bonn-2.example.com")


def read_sizing(row, *, at=NOW, names=NAMES, redundant=True):
    """Record a run that read one group, of these nodes; all are the cluster's own."""
    here = replace(
        cluster(2, 1),
        id=str(row.pk),
        nodes=(),
        process_nodes=Answer(tuple(ProcessNode(name, False) for name in names)),
        subclusters=Answer((Subcluster("7", "Default", redundant),)),
        ha_nodes=Answer(
            (*(HaNode(name, "7", "3") for name in names), HaNode("kiel-1", "7", "3"))
        ),
    )
    clusters_recorded.send(sender=Cluster, facts=Facts(at, {here.id: here}))


def test_group_that_cannot_lose_a_node_is_a_warning(counted):
    row = counted("Bonn", None, version="7.0.5")
    read_sizing(row)
    count(row, dict.fromkeys(NAMES, 2_501), NAMES)
    here = read_deployment()
    (group,) = here.clusters[0].groups
    assert (group.nodes, group.redundant, group.users) == (2, True, 5_002)
    assert here.clusters[0].redundant is True
    assert "group-over-limit" in [one.code for one in find_warnings(here)]


@pytest.mark.parametrize(("names", "enabled"), [(NAMES, False), (NAMES[:1], True)])
def test_group_without_high_availability_or_a_second_node(counted, names, enabled):
    row = counted("Bonn", None, version="7.0.5")
    read_sizing(row, names=names, redundant=enabled)
    count(row, dict.fromkeys(names, 2_501), names)
    here = read_deployment()
    assert here.clusters[0].redundant is False
    assert "group-over-limit" not in [one.code for one in find_warnings(here)]


def test_older_run_that_ends_later_changes_nothing(counted):
    row = counted("Bonn", 5)
    read_sizing(row)
    read_sizing(row, at=NOW - timedelta(hours=1), names=NAMES[:1])
    (group,) = GroupsSeen.objects.get().groups
    assert group["nodes"] == list(NAMES)


def test_stated_availability_goes_before_what_was_read(counted):
    row = counted("Bonn", 5)
    read_sizing(row)
    ClusterPlatform.objects.create(cluster=row, redundant="no")
    assert read_deployment().clusters[0].redundant is False


def test_groups_of_a_deleted_cluster_are_not_kept(counted):
    row = counted("Bonn", 5)
    pk = row.pk
    row.delete()
    row.pk = pk
    read_sizing(row)
    assert not GroupsSeen.objects.exists()


def test_run_that_did_not_ask_keeps_what_was_read(counted):
    row = counted("Bonn", 5)
    read_sizing(row)
    quick = replace(cluster(2, 1), id=str(row.pk), subclusters=Answer())
    clusters_recorded.send(sender=Cluster, facts=Facts(NOW, {quick.id: quick}))
    assert GroupsSeen.objects.get().groups
