"""The console, a lab of two clusters, and no waiting."""

from collections.abc import Iterator

import pytest

from accounts.audit import Actor
from clusters.models import Cluster, Node
from jobs.engine import perform_job
from jobs.models import Job
from lab import Lab
from services import rate_limit
from services.jobs import control
from services.jobs.refresh import RefreshServices
from services.models import Service

AGENTS = ("Cisco UP Intercluster Sync Agent", "Cisco Intercluster Sync Agent")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "POLL", 0.1)
    monkeypatch.setattr(rate_limit, "CALLS", 1000)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    options = {"service_delay": 0.2, "users": (3, 3), "sip": False}
    with Lab(clusters=2, nodes=2, network="auto", **options) as running:
        yield running


@pytest.fixture
def clusters(transactional_db: None, lab_clusters: list[Cluster]) -> list[Cluster]:
    return lab_clusters


@pytest.fixture
def nodes(clusters: list[Cluster]) -> list[Node]:
    return list(Node.objects.select_related("cluster"))


@pytest.fixture
def read_nodes(nodes: list[Node]) -> list[Node]:
    """The nodes, with their services read."""
    done(RefreshServices.submit(nodes, Actor()))
    return nodes


def done(job: Job) -> Job:
    """Work on the job as a worker does, until it is over."""
    for _ in range(50):
        perform_job(str(job.pk))
        job.refresh_from_db()
        if not job.active:
            return job
        Job.objects.filter(pk=job.pk).update(not_before=job.created_at)
    raise AssertionError(f"{job} does not end")


def agent_on(node: Node) -> Service:
    return Service.objects.with_node().sync_agents().get(node=node)
