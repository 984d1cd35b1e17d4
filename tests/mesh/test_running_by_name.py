"""Clusters added by the host name of a neighbour, whose entries have IP addresses."""

import pytest

from accounts.audit import CONSOLE
from clusters import discovery, inventory
from clusters.models import Cluster, Node
from clusters.table_search import search_table
from diagnostics.checks import check_peers
from lab import Lab
from mesh import adoption
from mesh.neighbours import unmanaged_neighbours
from peers.models import Peer
from tests.conftest import register
from tests.mesh.test_running import sweep
from tests.waiting import eventually


@pytest.fixture
def lab(settings):
    options = {"nodes": 2, "users": (4, 3), "network": "auto", "agent_interval": 0.2}
    with Lab(
        clusters=2, **options, generation="cup8", forms="renamed", peered=True
    ) as lab:
        settings.DNS_SERVERS = [lab.dns_address]
        one, two = lab.clusters
        assert eventually(
            lambda: (one.associated_users, two.associated_users) == (3, 4)
        )
        yield lab


@pytest.fixture
def clusters(db, lab):
    found = []
    for described in lab.describe()["clusters"]:
        for node in described["nodes"]:
            node["address"] = node["name"]
        cluster = register(described)
        cluster.peering_username = described["intercluster_username"]
        cluster.seal("peering_password", described["intercluster_password"])
        cluster.save()
        discovery.learn_nodes(cluster)
        found.append(cluster)
    return found


def test_discovery_keeps_where_the_names_lead(clusters, lab):
    for reported in lab.nodes:
        node = Node.objects.get(name=reported.name)
        assert node.resolved == f" {reported.address} "
        assert inventory.node_ownership().of(reported.address) == node.cluster_id
        assert inventory.known_source().owner(reported.address) == node.cluster


def test_entries_by_address_belong_to_clusters_added_by_name(clusters, lab):
    for cluster in Cluster.objects.all():
        search_table(cluster)
    sweep(clusters)
    assert unmanaged_neighbours(clusters) == []
    found = adoption.adopt_peerings(Cluster.objects.prefetch_related("nodes"), CONSOLE)
    assert {peer.address for peer in found.adopted} == {
        cluster.publisher.address for cluster in lab.clusters
    }
    assert set(check_peers(Peer.objects.all()).values()) == {"passed"}
    assert {peer.evidence for peer in Peer.objects.all()} == {"table"}


def test_name_that_leads_nowhere_is_remembered_as_nothing(clusters, lab):
    lab.set_fault("dns", "nxdomain")
    discovery.remember_addresses(clusters[0], [], [])
    assert set(clusters[0].nodes.values_list("resolved", flat=True)) == {""}
