"""Two small labs that the tests share: one in which nothing is changed for long."""

import time

import pytest

from lab import Lab


@pytest.fixture(scope="session")
def lab():
    with Lab(
        clusters=3,
        nodes=2,
        users=(12, 9, 15),
        network="auto",
        generation=("cup7", "cup8", "imp"),
        service_delay=0.1,
        agent_interval=0.05,
        agent_timeout=1,
    ) as lab:
        yield lab


@pytest.fixture(autouse=True)
def tidy(request):
    yield
    if "lab" in request.fixturenames:
        shared = request.getfixturevalue("lab")
        shared.clear_faults()
        had_copies = any(c.peers() or c.associated_users for c in shared.clusters)
        for cluster in shared.clusters:
            for peer in cluster.peers():
                cluster.remove_peer(peer.address)
            for node in cluster.nodes:
                for name, service in node.services.items():
                    if not service.is_started and node.is_publisher:
                        node.service(name).set("Started")
        if had_copies:
            clusters = shared.clusters
            assert eventually(lambda: not any(c.associated_users for c in clusters))


@pytest.fixture
def cup7(lab):
    return lab.clusters[0]


@pytest.fixture
def cup8(lab):
    return lab.clusters[1]


@pytest.fixture
def imp(lab):
    return lab.clusters[2]


@pytest.fixture(params=["cup7", "cup8", "imp"])
def cluster(request, lab):
    return next(c for c in lab.clusters if c.generation == request.param)


def eventually(condition, seconds=5):
    """Wait until a condition holds; tell whether it came to hold."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
