"""Losses on clusters whose peer table is hidden: the next sweep names each."""

import pytest

from diagnostics.jobs.sweep import Sweep
from jobs.engine import perform_job
from jobs.models import Job
from lab import Lab
from overview.models import Problem
from overview.renewal import renew_problems
from peers.models import Peer
from services.models import NodePace, NodeReading
from tests.clusters.test_peer_table import HIDDEN
from tests.diagnostics.conftest import AGENT
from tests.waiting import eventually


@pytest.fixture(scope="module")
def mesh_lab():
    options = {"clusters": 2, "nodes": 2, "users": (12, 8), "network": "auto"}
    options |= {"agent_interval": 0.2, "service_delay": 0.1}
    with Lab(**options, generation=("cup8",), peer_table=HIDDEN) as lab:
        yield lab


@pytest.fixture
def sweep(peering):
    """Sweep once, and return the problems; first, all is known by users and good."""

    def run():
        Job.objects.filter(kind="sweep").delete()
        # As if the last sweep was a minute ago.
        NodeReading.objects.update(observed_at=None)
        NodePace.objects.all().delete()
        job = Sweep.submit()
        perform_job(str(job.pk))
        renew_problems()
        return list(Problem.objects.all())

    assert eventually(lambda: not run()), list(Problem.objects.all())
    assert {peer.evidence for peer in Peer.objects.all()} == {"users"}
    return run


def test_stopped_agent_is_named(sweep, mesh_lab):
    node = mesh_lab.clusters[1].nodes[1]
    node.service(AGENT).set("Stopped")
    (found,) = sweep()
    assert (found.code, found.severity) == ("agent_stopped", "failed")
    assert node.name in found.sentence


def test_deleted_entry_is_named(sweep, mesh_lab, registered):
    home, remote = mesh_lab.clusters
    home.remove_peer(remote.publisher.address)
    assert eventually(lambda: not home.associated_users)
    (found,) = sweep()
    assert (found.code, found.severity) == ("entry_absent", "failed")
    assert registered[0].name in found.sentence


def test_changed_password_is_named(sweep, mesh_lab):
    remote = mesh_lab.clusters[1]
    remote.set_password(remote.intercluster_username, "another")
    (found,) = sweep()
    assert (found.code, found.severity) == ("peer_credentials", "failed")
    assert remote.publisher.name in found.sentence


def test_changed_certificate_is_named(sweep, mesh_lab):
    mesh_lab.clusters[1].publisher.set_fault("tls", "changed")
    (found,) = sweep()
    assert found.code == "certificate_changed"


def test_deleted_user_is_named(sweep, mesh_lab):
    remote = mesh_lab.clusters[1]
    del remote.credentials[remote.intercluster_username]
    (found,) = sweep()
    assert (found.code, found.severity) == ("peer_credentials", "failed")
