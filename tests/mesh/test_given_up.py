"""What a set-up job leaves of peers that it never wrote."""

import pytest

from accounts.audit import CONSOLE
from mesh import applying, planned
from mesh.intent import MeshIntent
from mesh.plan import plan_mesh
from peers.models import Peer


@pytest.fixture
def pair(cluster_factory, peer_factory):
    one, other = cluster_factory("Bonn"), cluster_factory("Kiel")
    for home, remote in ((one, other), (other, one)):
        peer = peer_factory(home, remote)
        peer.provisioning_state = "applied"
        peer.applied_address = peer.address
        peer.save()
    return one, other


def apply(pair):
    expected = MeshIntent((pair,), protocol="TLS")
    return applying.apply_plan(expected, plan_mesh(expected).hash, CONSOLE)


def protocols():
    return {(p.protocol, p.provisioning_state) for p in Peer.objects.all()}


def test_job_that_ends_before_it_writes_leaves_what_was_wanted(pair):
    job = apply(pair)
    assert protocols() == {("TCP", "applied")}
    job.cancel()
    assert protocols() == {("TCP", "applied")}


def test_what_a_step_began_to_write_stays_wanted(pair):
    job = apply(pair)
    planned.accept_entry(job.planned_entries.first(), CONSOLE)
    assert protocols() == {("TLS", "pending"), ("TCP", "applied")}
    job.cancel()
    assert protocols() == {("TLS", "failed"), ("TCP", "applied")}
