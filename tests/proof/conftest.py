"""Two clusters of the lab that are peers, each with a canary that the console knows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from accounts.audit import CONSOLE
from clusters.models import Cluster
from lab import Lab
from peers.models import Peer
from proof import canaries, proving
from proof.models import Canary, PresenceCertificate
from tests.conftest import register


@dataclass
class Pair:
    """Two clusters, in the lab and in the console, and the peers of both."""

    lab: Lab
    clusters: list[Cluster]
    peers: list[Peer]

    @property
    def there(self) -> list[Any]:
        return self.lab.clusters

    def carry(self) -> None:
        """Let both sync agents finish a cycle."""
        for cluster in self.lab.clusters:
            self.lab._wait(cluster.agent.synchronise())


@pytest.fixture
def presence_lab() -> Iterator[Lab]:
    with Lab(
        clusters=2,
        nodes=1,
        users=(3, 3),
        versions=("8.6", "9.1"),
        network="auto",
        presence=True,
        peered=True,
        shared_key=True,
        agent_interval=3600,
    ) as running:
        yield running


@pytest.fixture
def pair(db: None, presence_lab: Lab, settings: Any, monkeypatch: Any) -> Pair:
    settings.DNS_SERVERS = [presence_lab.describe()["dns"]]
    monkeypatch.setattr(proving, "ARRIVAL_TIMEOUT", 0.5)
    reported = presence_lab.describe()["clusters"]
    clusters = [register(one) for one in reported]
    for cluster, there in zip(clusters, presence_lab.clusters, strict=True):
        name_canary(cluster, there)
    peers = [
        make_peer(clusters[a], clusters[b], presence_lab.clusters[b])
        for a, b in ((0, 1), (1, 0))
    ]
    made = Pair(presence_lab, clusters, peers)
    made.carry()
    return made


def name_canary(cluster: Cluster, there: Any) -> None:
    given = {
        "userid": there.users()[0],
        "presence_username": "presenceapp",
        "presence_password": there.presence.password,
        "presence_port": there.publisher.presence_port,
    }
    canaries.save_canary(cluster, given, CONSOLE)
    PresenceCertificate.objects.create(
        node=cluster.publisher,
        fingerprint=there.publisher.cup_identity.fingerprint,
        not_after=timezone.now(),
    )


def make_peer(home: Cluster, remote: Cluster, target: Any) -> Peer:
    peer = Peer(
        cluster=home,
        remote_cluster=remote,
        address=target.publisher.name,
        username=target.intercluster_username,
        provisioning_state=Peer.ProvisioningState.APPLIED,
    )
    peer.seal("password", target.intercluster_password)
    peer.save()
    return peer


@pytest.fixture
def two(cluster_factory: Any, peer_factory: Any) -> tuple[Peer, Peer]:
    home, remote = cluster_factory("home"), cluster_factory("remote")
    return peer_factory(home, remote), peer_factory(remote, home)


@pytest.fixture(name="canaries")
def canaries_of_two(two: tuple[Peer, Peer]) -> None:
    for peer in two:
        Canary.objects.create(pk=peer.cluster_id, userid="anna")
