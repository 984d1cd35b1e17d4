"""Two clusters of the lab whose users see each other."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_network

import pytest

from lab import Lab
from presence import ServiceCanary
from wire import NodeAddress, Policy, Secret, Trust

POLICY = Policy(networks=(ip_network("127.0.0.0/8"),))


@pytest.fixture(scope="session")
def presence_lab() -> Iterator[Lab]:
    with Lab(
        clusters=2,
        nodes=2,
        users=(6, 4),
        generation=("cup8", "imp"),
        network="auto",
        presence=True,
        peered=True,
        agent_interval=0.05,
    ) as running:
        yield running


@pytest.fixture
def lab(presence_lab: Lab) -> Iterator[Lab]:
    """The lab with both clusters' users carried, and without faults afterwards."""
    carry(presence_lab)
    yield presence_lab
    presence_lab.clear_faults()
    for cluster in presence_lab.clusters:
        cluster.availability.states.clear()
        cluster.availability.carried.clear()


def carry(lab: Lab) -> None:
    """Let every sync agent finish one cycle."""
    for cluster in lab.clusters:
        lab._wait(cluster.agent.synchronise())


@pytest.fixture
def canary(lab: Lab) -> Callable[..., ServiceCanary]:
    """The first user of a cluster, at the home node."""

    def make(name: str, **changes: object) -> ServiceCanary:
        cluster = lab.cluster(name)
        userid = next(
            one
            for one in cluster.users()
            if cluster.availability.home_node(one) is cluster.publisher
        )
        node = NodeAddress(
            name=cluster.publisher.name,
            address=cluster.publisher.address,
            username="presenceapp",
            password=Secret(cluster.presence.password),
            trust=Trust(fingerprint=cluster.publisher.cup_identity.fingerprint),
            policy=POLICY,
        )
        made = ServiceCanary(
            node, cluster.publisher.presence_port, userid, cluster.domain
        )
        return replace(made, **changes)

    return make
