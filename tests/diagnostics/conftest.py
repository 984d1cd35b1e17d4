"""Two simulated clusters with a peering of both sides, made for one test."""

from collections.abc import Iterator

import pytest

from clusters.models import Cluster
from lab import Lab
from peers.models import Peer
from tests.conftest import register
from tests.waiting import eventually

AGENT = "Cisco UP Intercluster Sync Agent"


@pytest.fixture(scope="session")
def mesh_lab() -> Iterator[Lab]:
    """A lab of its own, because these tests break it."""
    with Lab(
        clusters=2,
        nodes=2,
        users=(12, 8),
        network="auto",
        generation=("cup8",),
        service_delay=0.1,
        agent_interval=0.2,
    ) as running:
        yield running


@pytest.fixture
def registered(db: None, mesh_lab: Lab, settings: object) -> Iterator[list[Cluster]]:
    settings.DNS_SERVERS = [mesh_lab.describe()["dns"]]
    yield [register(description) for description in mesh_lab.describe()["clusters"]]
    mend(mesh_lab)


def mend(lab: Lab) -> None:
    """Undo whatever a test did to the lab; a good peering stays for the next."""
    lab.clear_faults()
    for node in lab.nodes:
        for kind in node.cluster.release.services:
            node.service(kind.name).set("Started")
    if not (peered(lab) and carried(lab)):
        for cluster in lab.clusters:
            for entry in cluster.peers():
                cluster.remove_peer(entry.address)
        # The agents must see that the entries are gone, or they keep old copies.
        assert eventually(lambda: not any(c.associated_users for c in lab.clusters))


def peered(lab: Lab) -> bool:
    one, two = lab.clusters
    return [desired_entries(one, two), desired_entries(two, one)] == [
        [(e.address, e.username, e.password, e.protocol) for e in cluster.peers()]
        for cluster in lab.clusters
    ]


def desired_entries(home: object, remote: object) -> list[tuple[str, ...]]:
    return [
        (
            remote.publisher.address,
            remote.intercluster_username,
            remote.intercluster_password,
            "TCP",
        )
    ]


@pytest.fixture
def peering(registered: list[Cluster], mesh_lab: Lab) -> list[Peer]:
    """Both entries, in the console and on the clusters, carrying users."""
    home, remote = registered
    peers = [peer_on(home, remote, mesh_lab, 1), peer_on(remote, home, mesh_lab, 0)]
    assert eventually(lambda: carried(mesh_lab))
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
    home_in_lab = lab.clusters[1 - n]
    if not home_in_lab.peer_to(target):
        home_in_lab.add_peer(
            peer.address, peer.username, target.intercluster_password, peer.protocol
        )
    return peer


def carried(lab: Lab) -> bool:
    one, two = lab.clusters
    return (one.associated_users, two.associated_users) == (
        two.local_users,
        one.local_users,
    )
