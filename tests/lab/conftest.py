"""Two small labs that the tests share: one in which nothing is changed for long."""

import pytest

from lab import Lab
from lab.pages import SKINS
from tests.waiting import eventually

from .pages_client import Browser


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


@pytest.fixture(scope="session")
def paged():
    """A lab with one home in each markup, each with another form of peer table."""
    with Lab(
        clusters=len(SKINS),
        nodes=2,
        users=(12, 9, 15),
        network="auto",
        generation=("cup8", "cup7", "imp", "imp"),
        forms=("key", "split", "empty"),
        pages=tuple(SKINS),
        service_delay=0.1,
        agent_interval=0.05,
        agent_timeout=1,
        shared_key=True,
    ) as lab:
        yield lab


@pytest.fixture(params=list(SKINS))
def home(request, paged):
    found = next(c for c in paged.clusters if c.pages.skin == request.param)
    yield found
    paged.clear_faults()
    for each in paged.clusters:
        for peer in each.peers():
            each.remove_peer(peer.address)
        each.pages.failures.clear()
        each.pages.saves.clear()
        each.pages.deletes.clear()
        each.pages.syncs.clear()
        for node in each.nodes:
            node.site.sessions.open.clear()
    assert eventually(lambda: not any(c.associated_users for c in paged.clusters))


@pytest.fixture
def other(home):
    return next(c for c in home.lab.clusters if c is not home)


@pytest.fixture
def browser(home):
    return Browser(home.publisher).sign_in()
