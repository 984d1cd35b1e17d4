"""A mesh that was there before the console: neighbours, and peerings to adopt."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.audit import CONSOLE
from accounts.models import AuditEntry
from clusters.models import Cluster
from clusters.signals import entries_read
from diagnostics.checks import check_peers
from jobs.models import Job
from lab import Lab
from mesh import adoption, applying, observed
from mesh.intent import MeshIntent
from mesh.models import UsersSeen
from mesh.neighbours import neighbours_of, unmanaged_neighbours
from mesh.plan import plan_mesh
from peers import lifecycle
from peers.models import Peer
from tests.clusters.test_peer_table import HIDDEN
from tests.conftest import register
from tests.elements import elements
from tests.waiting import eventually
from wire import PeerEntry


@pytest.fixture
def trio(cluster_factory):
    return [
        cluster_factory(name, generation="cup8") for name in ("Bonn", "Kiel", "Ulm")
    ]


def name_of(cluster):
    return f"{cluster.name}-pub.example.com"


def store_users(cluster, users, own=()):
    UsersSeen.objects.update_or_create(
        cluster=cluster,
        defaults={"users": users, "own_nodes": list(own), "read_at": timezone.now()},
    )


def carried(*clusters, count=10):
    """Every cluster shows as many users of each other one as that one has."""
    for one in clusters:
        store_users(one, {name_of(other): count for other in clusters})


def test_neighbours_are_managed_or_not(trio):
    bonn, kiel, _ = trio
    store_users(bonn, {name_of(bonn): 5, name_of(kiel): 7, "oslo-pub.example.com": 9})
    first, second = neighbours_of([bonn])
    assert (first.address, first.users, first.cluster) == (
        "oslo-pub.example.com",
        9,
        None,
    )
    assert (second.cluster, second.users) == (kiel, 7)


def test_users_of_unlisted_nodes_are_not_said_to_be_missing(trio):
    bonn, kiel, _ = trio
    store_users(bonn, {name_of(bonn): 5, "": 7})
    store_users(kiel, {name_of(kiel): 7})
    seen = adoption.Observer([bonn, kiel], {})
    assert "0" not in seen.evidence_of(bonn, kiel).reason
    assert "0" in seen.evidence_of(kiel, bonn).reason
    assert [one.nodes for one in neighbours_of([bonn])] == []


def test_what_was_not_read_is_not_known(trio, client_of, viewer):
    heads = "//*[@class='table-empty']/*[name()='svg']/@class"
    page, running = client_of(viewer), reverse("mesh:running")
    assert elements(page.get(running), heads) == ["icon icon-unknown"] * 2
    carried(*trio)
    assert "icon icon-unknown" not in elements(page.get(running), heads)


def test_own_nodes_that_are_not_discovered_are_no_neighbours(trio):
    bonn = trio[0]
    store_users(
        bonn, {name_of(bonn): 5, "bonn-sub.example.com": 3}, ["bonn-sub.example.com"]
    )
    assert neighbours_of([bonn]) == []


def test_entry_and_users_of_one_neighbour_are_one(trio):
    bonn, kiel, _ = trio
    store_users(bonn, {name_of(kiel): 7})
    entry = PeerEntry(kiel.publisher.address, "icuser", "TCP")
    observed.store_tables({str(bonn.pk): [entry]}, timezone.now())
    (found,) = neighbours_of([bonn])
    assert (found.cluster, found.users, found.seen_by) == (kiel, 7, "table")


def test_unmanaged_neighbour_of_two_clusters_is_listed_once(trio):
    for cluster, users in zip(trio[:2], (4, 6), strict=True):
        store_users(cluster, {"oslo-pub.example.com": users})
    (found,) = unmanaged_neighbours(trio)
    assert found.users == 6


def test_rest_lists_neighbours(trio, api, viewer):
    store_users(trio[0], {"oslo-pub.example.com": 9})
    answer = api(viewer).get(f"/api/v1/clusters/{trio[0].pk}/neighbours/")
    (one,) = answer.json()
    assert one["address"] == "oslo-pub.example.com"
    assert (one["cluster"], one["users"], one["seen_by"]) == (None, 9, "users")


def test_peerings_that_users_prove_are_adopted_and_checked(trio, api, administrator):
    carried(*trio)
    body = {"clusters": "all"}
    answer = api(administrator).post("/api/v1/mesh/adopt/", body, format="json")
    assert answer.status_code == 200
    assert len(answer.json()["adopted"]) == 6 and answer.json()["skipped"] == []
    peer = Peer.objects.get(cluster=trio[0], remote_cluster=trio[1])
    assert peer.provisioning_state == "applied"
    assert peer.address == name_of(trio[1])
    assert Job.objects.get(kind="check-peers").target_label == "6 peers"
    assert not Job.objects.filter(kind="provision-peer").exists()


def test_adopting_twice_leaves_what_is_there(trio):
    carried(*trio)
    adoption.adopt_peerings(trio, CONSOLE)
    again = adoption.adopt_peerings(trio, CONSOLE)
    assert again.adopted == []
    assert all(one.held for one in again.skipped)


@pytest.mark.parametrize("count", [0, 4])
def test_users_that_differ_prove_no_peering(trio, count):
    carried(*trio[:2])
    store_users(trio[0], {name_of(trio[0]): 10, name_of(trio[1]): count})
    found = adoption.adopt_peerings(trio[:2], CONSOLE)
    assert [one.remote for one in found.skipped] == [trio[1]]
    assert f"{count} of the 10" in found.skipped[0].reason


def test_entries_keep_their_user_and_protocol(trio):
    bonn, kiel, _ = trio
    carried(bonn, kiel)
    entry = PeerEntry(kiel.publisher.address, "intercluster", "TLS")
    observed.store_tables({str(bonn.pk): [entry]}, timezone.now())
    adoption.adopt_peerings([bonn, kiel], CONSOLE)
    peer = Peer.objects.get(cluster=bonn)
    assert (peer.username, peer.protocol) == ("intercluster", "TLS")
    assert peer.password == ""


def test_password_of_the_intercluster_user_is_used_where_it_is_that_user(trio):
    bonn, kiel, _ = trio
    carried(bonn, kiel)
    kiel.peering_username = "intercluster"
    kiel.seal("peering_password", "s3cret")
    kiel.save()
    adoption.adopt_peerings(
        list(Cluster.objects.filter(pk__in=[bonn.pk, kiel.pk])), CONSOLE
    )
    peer = Peer.objects.get(cluster=bonn)
    assert peer.username == "intercluster"
    assert peer.unseal("password").reveal() == "s3cret"


def read_table(cluster, *entries):
    """As a search or a sweep does."""
    entries_read.send(
        sender=None, cluster=cluster, entries=list(entries), at=timezone.now()
    )


def test_a_protocol_whose_code_is_unknown_is_learned_and_no_difference(trio):
    bonn, kiel, _ = trio
    address = kiel.publisher.name.lower()
    read_table(bonn, PeerEntry(address, "intercluster", ""))
    adoption.adopt_peerings(trio[:2], CONSOLE)
    peer = Peer.objects.get(cluster=bonn)
    assert (peer.protocol, peer.assumed) == ("TCP", ["protocol"])
    read_table(bonn, PeerEntry(address, "intercluster", ""))
    peer.refresh_from_db()
    assert peer.assumed == ["protocol"]
    read_table(bonn, PeerEntry(address, "intercluster", "UDP"))
    peer.refresh_from_db()
    assert (peer.protocol, peer.assumed, peer.drift) == ("UDP", [], {})
    entry = AuditEntry.objects.get(action="learn peer values")
    assert entry.changes == {"protocol": ["TCP", "UDP"]}
    read_table(bonn, PeerEntry(address, "intercluster", "TLS"))
    peer.refresh_from_db()
    assert peer.protocol == "UDP"


def test_values_of_a_peer_known_by_its_users_are_learned_from_the_table(trio):
    carried(*trio[:2])
    adoption.adopt_peerings(trio[:2], CONSOLE)
    bonn, kiel, _ = trio
    read_table(bonn, PeerEntry(kiel.publisher.address, "icuser", "TLS", "12XX"))
    peer = Peer.objects.get(cluster=bonn)
    values = (peer.username, peer.protocol, peer.external_phone_number_mask)
    assert values == ("icuser", "TLS", "12XX")
    assert not peer.assumed


def test_values_that_a_person_saved_are_not_learned(trio):
    carried(*trio[:2])
    adoption.adopt_peerings(trio[:2], CONSOLE)
    bonn, kiel, _ = trio
    peer = Peer.objects.get(cluster=bonn)
    peer.protocol = "UDP"
    lifecycle.save_peer(peer, CONSOLE, fields=["protocol"])
    read_table(bonn, PeerEntry(peer.address, peer.username, "TLS"))
    peer.refresh_from_db()
    assert (peer.protocol, peer.assumed) == ("UDP", [])


def test_assumed_values_teach_no_codes(trio):
    carried(*trio[:2])
    adoption.adopt_peerings(trio[:2], CONSOLE)
    Cluster.objects.update(provisioning="direct")
    peer = Peer.objects.select_related("cluster").get(cluster=trio[0])
    assert not peer.values_are_known
    peer.assumed = []
    assert peer.values_are_known


def test_an_entry_with_an_unknown_code_is_adopted_by_itself(trio):
    bonn = trio[0]
    read_table(bonn, PeerEntry("oslo.example.com", "intercluster", ""))
    (unmanaged,) = observed.unmanaged_entries()
    peer = applying.adopt_entry(unmanaged, "", CONSOLE)
    assert (peer.protocol, peer.assumed) == ("TCP", ["protocol"])


def test_plans_use_the_intercluster_user_of_a_cluster(trio):
    bonn, kiel, _ = trio
    kiel.peering_username = "intercluster"
    kiel.seal("peering_password", "s3cret")
    step = plan_mesh(MeshIntent(((bonn, kiel),))).steps[0]
    assert step.after["username"] == "intercluster"


def test_clusters_that_nobody_read_say_so(trio):
    found = adoption.adopt_peerings(trio[:2], CONSOLE)
    assert [one.by for one in found.skipped] == ["", ""]
    assert all(one.home.name in one.reason for one in found.skipped)


def test_page_shows_neighbours_and_adopts(trio, client_of, administrator):
    ada, url = client_of(administrator), reverse("mesh:running")
    carried(*trio)
    store_users(trio[0], {name_of(c): 10 for c in trio} | {"oslo-pub.example.com": 9})
    text = ada.get(url).content.decode()
    assert "oslo-pub.example.com" in text and "Adopt 6 peers" in text
    assert "address=oslo-pub.example.com" in text
    ada.post(url)
    assert Peer.objects.count() == 6


def test_add_cluster_begins_with_the_address_of_a_neighbour(client_of, administrator):
    url = reverse("clusters:add_cluster") + "?address=oslo-pub.example.com"
    text = client_of(administrator).get(url).content.decode()
    assert 'value="oslo-pub.example.com"' in text


@pytest.mark.parametrize("clusters", [None, "some", [1], ["x"], {}], ids=repr)
def test_other_clusters_than_ids_are_refused(api, administrator, clusters):
    body = {"clusters": clusters}
    answer = api(administrator).post("/api/v1/mesh/adopt/", body, format="json")
    assert answer.status_code == 400


def test_running_mesh_with_hidden_tables_is_adopted_and_verified(db, settings):
    options = {"clusters": 3, "nodes": 2, "users": (6, 5, 4), "network": "auto"}
    options |= {"agent_interval": 0.2, "generation": ("cup8",), "peer_table": HIDDEN}
    with Lab(**options) as lab:
        one, two, three = lab.clusters
        for home, remote in ((one, two), (one, three), (two, three)):
            home.peer_with(remote)
        settings.DNS_SERVERS = [lab.describe()["dns"]]
        described = lab.describe()["clusters"]
        assert eventually(lambda: one.associated_users == 9)
        assert eventually(lambda: two.associated_users == 10)
        assert eventually(lambda: three.associated_users == 11)
        first = register(described[0])
        sweep([first])
        strangers = {found.address for found in unmanaged_neighbours([first])}
        assert len(strangers) == 2  # each once, with both of its nodes
        clusters = [first, *(register(each) for each in described[1:])]
        for cluster, each in zip(clusters, described, strict=True):
            cluster.peering_username = each["intercluster_username"]
            cluster.seal("peering_password", each["intercluster_password"])
            cluster.save()
        sweep(clusters)
        assert unmanaged_neighbours(clusters) == []
        found = adoption.adopt_peerings(
            Cluster.objects.prefetch_related("nodes"), CONSOLE
        )
        assert len(found.adopted) == 6
        outcomes = check_peers(Peer.objects.all())
        assert set(outcomes.values()) == {"passed"}
        assert {peer.evidence for peer in Peer.objects.all()} == {"users"}


def sweep(clusters):
    from diagnostics.collect import gather_facts
    from diagnostics.node_addresses import clusters_of
    from diagnostics.results_store import record_clusters

    rows = Cluster.objects.filter(pk__in=[c.pk for c in clusters])
    record_clusters(gather_facts(clusters_of(rows.prefetch_related("nodes"))))


def test_password_is_rotated_in_every_entry_by_one_job(trio, client_of, administrator):
    carried(*trio)
    kiel = trio[1]
    kiel.peering_username = "intercluster"
    kiel.seal("peering_password", "old")
    kiel.save()
    clusters = Cluster.objects.prefetch_related("nodes")
    adoption.adopt_peerings(clusters, CONSOLE)
    Job.objects.all().delete()
    ada = client_of(administrator)
    url = reverse("mesh:rotate", args=[kiel.pk])
    page = ada.post(url, {"password": "n3w"}, follow=True)
    ada.post(page.redirect_chain[-1][0], {"plan_hash": page.context["plan"].hash})
    job = Job.objects.get(kind="set-up-peerings")
    entries = job.planned_entries.filter(remote=kiel)
    assert {one.unseal("password").reveal() for one in entries} == {"n3w"}
    assert set(entries.values_list("home__name", flat=True)) == {"Bonn", "Ulm"}
    word = job.planned_passwords.get(cluster=kiel)
    assert word.unseal("password").reveal() == "n3w"
    kiel.refresh_from_db()
    assert kiel.unseal("peering_password").reveal() == "old"
