"""A lab with a cluster of every generation, and a node of it to talk to."""

import dataclasses
import ipaddress
from collections.abc import Iterator

import pytest

from lab import Lab, LabCluster
from wire import NodeAddress, Policy, Secret, Trust

VERSIONS = ("7.1", "8.6", "9.1", "10.5", "11.5", "12.5", "14", "15")


@pytest.fixture(scope="session")
def wire_lab() -> Iterator[Lab]:
    with Lab(
        clusters=len(VERSIONS),
        nodes=1,
        users=(25,),
        network="auto",
        versions=VERSIONS,
        service_delay=0.2,
    ) as lab:
        yield lab


PORTS = ("axl_port", "sip_port", "sip_tls_port", "sip_peer_tls_port")


def address_of(lab: Lab, number: int = 0, **changes: object) -> NodeAddress:
    cluster = lab.describe()["clusters"][number]
    reported = cluster["nodes"][0]
    ports = {name: reported[name] for name in PORTS}
    node = NodeAddress(
        name=reported["name"],
        address=reported["address"],
        username=cluster["axl_username"],
        password=Secret(cluster["axl_password"]),
        trust=Trust(fingerprint=reported["fingerprint"]),
        policy=Policy(
            networks=(ipaddress.ip_network("127.0.0.0/8"),),
            dns_servers=(lab.describe()["dns"],),
        ),
        generation=cluster["generation"],
        **ports,
    )
    return dataclasses.replace(node, **changes)


@pytest.fixture(params=range(len(VERSIONS)), ids=VERSIONS)
def any_node(request: pytest.FixtureRequest, wire_lab: Lab) -> NodeAddress:
    """The publisher of a cluster of each release in turn."""
    return address_of(wire_lab, request.param)


@pytest.fixture
def any_cluster(any_node: NodeAddress, wire_lab: Lab) -> Iterator[LabCluster]:
    """The lab's side of `any_node`, whose faults end with the test."""
    node = wire_lab.node(any_node.address)
    node.calls.clear()
    yield node.cluster
    node.cluster.clear_faults()


@pytest.fixture
def publisher(wire_lab: Lab) -> Iterator[NodeAddress]:
    """The publisher of an 8.6 cluster, whose faults end with the test."""
    yield address_of(wire_lab, 1)
    wire_lab.clusters[1].clear_faults()
    wire_lab.clear_faults()


@pytest.fixture
def cluster(wire_lab: Lab) -> LabCluster:
    """The lab's side of `publisher`, where faults are set."""
    return wire_lab.clusters[1]
