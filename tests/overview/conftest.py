"""Two healthy clusters that are peers of each other, as checks have recorded them."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone

from clusters.models import Cluster, Node
from overview.models import Problem
from overview.renewal import renew_problems
from peers.models import Peer
from services.models import NodeReading, Service
from tests.diagnostics.conftest import mesh_lab, peering, registered

__all__ = ["mesh_lab", "peering", "registered"]

AGENT = "Cisco Intercluster Sync Agent"


@dataclass
class Pair:
    """Both clusters and both entries."""

    home: Cluster
    remote: Cluster
    there: Peer
    back: Peer

    def set(self, peer, *entries, outcome="failed"):
        """Let the last check of a peer have found these entries."""
        rows = [entry(*one) for one in entries]
        Peer.objects.filter(pk=peer.pk).update(outcome=outcome, entries=rows)

    def node(self, **values):
        Node.objects.filter(pk=self.remote.publisher.pk).update(**values)


def entry(code, outcome="failed", problem="", fix_url=""):
    return {
        "code": code,
        "label": code,
        "outcome": outcome,
        "problem": problem or f"{code} is {outcome}.",
        "solution": "",
        "fix_url": fix_url,
    }


def make_healthy(cluster):
    now = timezone.now()
    cluster.health, cluster.checked_at = "ok", now
    cluster.generation = "imp"
    cluster.save()
    for node in cluster.nodes.all():
        node.certificate_not_after = now + timedelta(days=400)
        node.save()
        NodeReading.objects.create(node=node, tried_at=now, observed_at=now)
        Service.objects.create(node=node, name=AGENT, status="started", observed_at=now)


def peer_between(peer_factory, home, remote):
    applied = {"provisioning_state": "applied", "outcome": "passed"}
    peer = peer_factory(home, remote, checked_at=timezone.now(), **applied)
    Peer.objects.filter(pk=peer.pk).update(applied_address=peer.address)
    return peer


@pytest.fixture
def pair(cluster_factory, peer_factory):
    home, remote = cluster_factory("cup1"), cluster_factory("cup2")
    make_healthy(home)
    make_healthy(remote)
    there = peer_between(peer_factory, home, remote)
    return Pair(home, remote, there, peer_between(peer_factory, remote, home))


@pytest.fixture
def problems():
    """Renew the list and return it."""

    def look():
        renew_problems()
        return list(Problem.objects.all())

    return look


@pytest.fixture
def only(problems):
    """Renew the list, and return the one problem that there is."""

    def look():
        found = problems()
        assert [one.code for one in found] == [found[0].code], found
        return found[0]

    return look


@pytest.fixture
def ada(client_of, administrator):
    return client_of(administrator)
