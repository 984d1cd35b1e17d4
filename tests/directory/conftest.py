"""Clusters with users, as a lab has them and as the console has read them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.audit import Actor
from clusters.models import Cluster
from directory import store
from directory.column_builder import Builder
from directory.columns import User
from directory.jobs.snapshot import SnapshotDirectory
from directory.models import Snapshot
from jobs.models import Job
from lab import Lab
from peers.models import Peer
from tests.workers import done


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    options = {"users": (12, 8, 5), "sip": False, "dns": False, "agent_interval": 10**8}
    generations = ("cup7", "cup8", "imp")
    with Lab(3, 2, network="auto", generation=generations, **options) as running:
        yield running


@pytest.fixture(autouse=True)
def healthy(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "lab" in request.fixturenames:
        request.getfixturevalue("lab").clear_faults()


def carry(lab: Lab, home: int, remote: int) -> None:
    """Do what the sync agent does, without waiting for it."""
    here, there = lab.clusters[home], lab.clusters[remote]
    columns = "u.userid, u.imaddress, u.directoryuri, u.mailid"
    if there.database.has_telephone:
        columns += ", u.telephonenumber"
    rows = there.database.execute(
        f"SELECT {columns}, n.name FROM enduser u JOIN enterprisenode n "
        "ON n.id = u.primarynodeid WHERE u.tkuserprofile = 1"
    )
    here.agent._replace(there, rows)


def taken(*clusters: Cluster) -> Job:
    return done(SnapshotDirectory.submit(clusters, Actor()))


@pytest.fixture
def clusters(transactional_db: None, lab_clusters: list[Cluster]) -> list[Cluster]:
    return lab_clusters


@pytest.fixture
def has(transactional_db: None) -> Callable[..., Snapshot]:
    """Say what users a cluster has, as if they had been read so long ago."""

    def say(cluster: Cluster, *users: User, minutes: int = 0) -> Snapshot:
        builder = Builder()
        builder.add(users)
        snapshot = Snapshot(
            cluster=cluster,
            taken_at=timezone.now() - timedelta(minutes=minutes),
            users=len(builder),
            nodes=builder.counts(),
            own_nodes=[node.name for node in cluster.nodes.all()],
        )
        store.save_snapshot(snapshot, store.compress_pieces(builder.finish()))
        return snapshot

    return say


def of(cluster: Cluster, *userids: str, number: str = "") -> Sequence[User]:
    """Users whose home is this cluster, as their own cluster and others have them."""
    assert cluster.publisher is not None
    node = cluster.publisher.name
    return [
        User(one, f"{one}@example.com", f"{one}@mail.example.com", number, node, True)
        for one in userids
    ]


@pytest.fixture
def pair(
    transactional_db: None,
    cluster_factory: Callable[..., Cluster],
    peer_factory: Callable[..., Peer],
) -> tuple[Cluster, Cluster, Peer]:
    """A home cluster, a remote cluster, and the peer that points to it."""
    home, remote = cluster_factory("oslo"), cluster_factory("bergen")
    return home, remote, peer_factory(home, remote)
