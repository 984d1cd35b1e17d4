"""The health of a cluster: what was not looked at is not good, nor is it bad."""

import pytest

from accounts.audit import CONSOLE
from clusters import editing
from clusters.jobs.test import TestCluster
from clusters.models import Cluster, Node
from tests.workers import done
from wire import Code, WireError


@pytest.fixture
def cluster(cluster_factory):
    cluster = cluster_factory("cup1")
    Cluster.objects.update(health="ok")
    return cluster


def add_subscriber(cluster):
    node = Node(cluster=cluster, name="sub", address="127.66.9.9", role="subscriber")
    editing.save_node(node, CONSOLE)


@pytest.mark.parametrize(
    ("role", "code", "health"),
    [
        ("publisher", Code.CERTIFICATE_UNKNOWN, "unknown"),
        ("publisher", Code.TIMEOUT, "failed"),
        ("subscriber", Code.CERTIFICATE_UNKNOWN, "warning"),
        ("subscriber", Code.TIMEOUT, "warning"),
        ("none", Code.TIMEOUT, "ok"),
    ],
)
def test_a_test_says_no_more_than_it_saw(cluster, monkeypatch, role, code, health):
    def probe(node):
        if node.role == role:
            raise WireError(code, node=node.name)
        return ""

    add_subscriber(cluster)
    monkeypatch.setattr("clusters.jobs.test.probe_node", probe)
    done(TestCluster.submit(cluster, CONSOLE))
    cluster.refresh_from_db()
    assert cluster.health == health


@pytest.mark.parametrize(
    ("before", "after"), [("ok", "warning"), ("failed", "failed"), ("unknown",) * 2]
)
def test_a_node_that_is_not_confirmed_takes_the_ok_back(cluster, before, after):
    Cluster.objects.update(health=before)
    add_subscriber(cluster)
    cluster.refresh_from_db()
    assert cluster.health == after
