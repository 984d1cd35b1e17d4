"""Two simulated clusters with a peering of both sides, made for one test."""

import time
from collections.abc import Callable, Iterator

import pytest

from lab import Lab
from peers.models import Cluster, Peer
from tests.conftest import register

AGENT = "Cisco UP Intercluster Sync Agent"


@pytest.fixture(scope="module")
def mesh_lab() -> Iterator[Lab]:
    """A lab of its own, because these tests break it."""
    with Lab(
        clusters=2,
        nodes=2,
        users=(12, 8),
        network="127.36",
        generation=("cup8",),
        service_delay=0.1,
        agent_interval=0.3,
    ) as running:
        yield running


@pytest.fixture
def registered(db: None, mesh_lab: Lab, settings: object) -> Iterator[list[Cluster]]:
    settings.DNS_SERVERS = [mesh_lab.describe()["dns"]]
    yield [register(description) for description in mesh_lab.describe()["clusters"]]
    mend(mesh_lab)


def mend(lab: Lab) -> None:
    """Undo whatever a test did to the lab."""
    lab.clear_faults()
    for cluster in lab.clusters:
        for entry in cluster.peers():
            cluster.remove_peer(entry.address)
        for node in cluster.nodes:
            for name in node.services:
                node.service(name).set("Started")


@pytest.fixture
def peering(registered: list[Cluster], mesh_lab: Lab) -> list[Peer]:
    """Both entries, in the console and on the clusters, carrying users."""
    home, remote = registered
    peers = [peer_on(home, remote, mesh_lab, 1), peer_on(remote, home, mesh_lab, 0)]
    assert wait_for(lambda: carried(mesh_lab))
    return peers


def peer_on(home: Cluster, remote: Cluster, lab: Lab, n: int, **fields: str) -> Peer:
    target = lab.clusters[n]
    peer = Peer(
        cluster=home,
        remote_cluster=remote,
        provisioning_state=Peer.ProvisioningState.APPLIED,
        **{
            "address": target.publisher.address,
            "username": target.intercluster_username,
            **fields,
        },
    )
    peer.seal("password", target.intercluster_password)
    peer.save()
    lab.clusters[1 - n].add_peer(
        peer.address, peer.username, target.intercluster_password, peer.protocol
    )
    return peer


def carried(lab: Lab) -> bool:
    one, two = lab.clusters
    return (one.associated_users, two.associated_users) == (
        two.local_users,
        one.local_users,
    )


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False
