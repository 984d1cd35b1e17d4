"""Three simulated clusters, trusted and known to the console."""

from collections.abc import Iterator

import pytest

from clusters.models import Cluster
from lab import Lab
from mesh import readiness, verification
from services import rate_limit
from services.jobs import control


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "POLL", 0.1)
    monkeypatch.setattr(rate_limit, "CALLS", 1000)
    monkeypatch.setattr(verification, "VERIFY_EVERY", 0.2)
    # Nobody else works on the child jobs: give the worker back at once.
    monkeypatch.setattr(readiness, "ATTENDED", -1)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    options = {"users": (4, 3, 2), "versions": ("8.6", "8.6", "9.1")}
    with Lab(
        clusters=3,
        nodes=1,
        network="auto",
        service_delay=0.2,
        agent_interval=0.3,
        **options,
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def tidy(lab: Lab) -> Iterator[None]:
    yield
    for cluster in lab.clusters:
        cluster.clear_faults()
        for node in cluster.nodes:
            node.clear_faults()
            node.service(cluster.release.sync_agent).set("Started")
        for entry in cluster.peers():
            cluster.remove_peer(entry.address)


@pytest.fixture
def clusters(
    transactional_db: None, lab_clusters: list[Cluster], lab: Lab
) -> list[Cluster]:
    for row, simulated in zip(lab_clusters, lab.clusters, strict=True):
        row.version = simulated.release.version
        row.save(update_fields=["version"])
    return lab_clusters
