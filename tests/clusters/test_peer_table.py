"""Clusters whose peer table nobody has named: recognised, confirmed, learnt."""

import pytest
from django.urls import reverse

import wire
from accounts.audit import CONSOLE
from accounts.models import AuditEntry
from clusters import peer_tables, table_search
from clusters.jobs.recognise import RecogniseTable
from clusters.models import Cluster, Node
from diagnostics.checks import check_peers
from diagnostics.collect import gather_facts
from diagnostics.collect_cluster import SEARCH
from diagnostics.node_addresses import clusters_of
from jobs.engine import perform_job
from lab import Lab
from mesh.models import ObservedPeerTable
from peers import lifecycle
from peers.models import Peer
from tests.conftest import register
from tests.lab.conftest import eventually
from tests.peers.test_guide import perform_now
from wire import Code, PeerTableClient, Resolution, WireError
from wire.recognition import Recognition, RecognitionState

HIDDEN = {
    "table": "icpeer",
    "columns": {
        "address": "peerhost",
        "username": "axluser",
        "password": "axlpassword",
        "protocol": "tkprotocol",
        "external_phone_number_mask": "e164mask",
    },
    "protocol_values": {"TCP": "4", "UDP": "5", "TLS": "6"},
}


@pytest.fixture(scope="module")
def hidden_lab():
    options = {"clusters": 2, "nodes": 2, "users": (12, 8), "network": "auto"}
    options |= {"agent_interval": 0.2, "service_delay": 0.1}
    with Lab(**options, generation=("cup8",), peer_table=HIDDEN) as lab:
        yield lab


@pytest.fixture
def clusters(db, hidden_lab, settings):
    settings.DNS_SERVERS = [hidden_lab.describe()["dns"]]
    described = hidden_lab.describe()["clusters"]
    rows = [register(one) for one in described]
    for row, one in zip(rows, described, strict=True):
        row.peering_username = one["intercluster_username"]
        row.save()
    yield rows
    for cluster in hidden_lab.clusters:
        for entry in cluster.peers():
            cluster.remove_peer(entry.address)
        # The users that it brought would be evidence of an entry in the next test.
        hidden_lab._wait(cluster.agent.synchronise())


@pytest.fixture
def ada(client_of, administrator):
    return client_of(administrator)


def recognise(cluster):
    job = RecogniseTable.submit(cluster, CONSOLE)
    perform_job(str(job.pk))
    job.refresh_from_db()
    cluster.refresh_from_db()
    return job


def peered(hidden_lab):
    one, two = hidden_lab.clusters
    one.peer_with(two, "TCP")


def test_table_with_an_entry_is_recognised_and_read(clusters, hidden_lab):
    peered(hidden_lab)
    job = recognise(clusters[0])
    assert job.state == "succeeded"
    assert clusters[0].peer_table_state == "recognised"
    assert clusters[0].recognised_table["columns"] == HIDDEN["columns"]
    assert "1 entry " in job.steps.get(key="read").detail
    assert len(ObservedPeerTable.objects.get(cluster=clusters[0]).all) == 1


def test_confirmed_table_is_read_without_delay(clusters, hidden_lab):
    peered(hidden_lab)
    found = peer_tables.verify_mapping(clusters[0], HIDDEN)
    peer_tables.confirm_mapping(clusters[0], found, CONSOLE)
    assert len(ObservedPeerTable.objects.get(cluster=clusters[0]).all) == 1


def test_table_is_confirmed_although_it_cannot_be_read(clusters, monkeypatch):
    async def refuse(*_, **__):
        raise WireError(Code.FAULT)

    monkeypatch.setattr(PeerTableClient, "read", refuse)
    found = peer_tables.verify_mapping(clusters[0], HIDDEN)
    peer_tables.confirm_mapping(clusters[0], found, CONSOLE)
    assert clusters[0].peer_table_state == "confirmed"
    assert not ObservedPeerTable.objects.exists()


def test_clusters_added_by_name_are_known_by_address_as_well(clusters, hidden_lab):
    """As *Add cluster* of a neighbour does, whose entries have IP addresses."""
    for node in Node.objects.all():
        Node.objects.filter(pk=node.pk).update(address=node.name)
    peered(hidden_lab)
    recognise(clusters[0])
    assert clusters[0].peer_table_state == "recognised"
    mesh = table_search.surroundings_of(clusters[0])
    one, two = hidden_lab.clusters
    assert {node.address for node in one.nodes} <= mesh.own
    assert two.publisher.address in mesh.publishers
    assert two.subscribers[0].address in mesh.others


def test_recognised_table_is_not_written_until_confirmed(clusters, hidden_lab):
    peered(hidden_lab)
    recognise(clusters[0])
    with pytest.raises(WireError) as refused:
        peer_tables.writable_table_of(clusters[0])
    assert refused.value.code is Code.CATALOGUE
    found = peer_tables.verify_mapping(clusters[0], HIDDEN)
    peer_tables.confirm_mapping(clusters[0], found, CONSOLE)
    assert peer_tables.writable_table_of(clusters[0]).table == "icpeer"


def test_empty_table_is_undecided_and_shown(clusters, ada):
    recognise(clusters[0])
    assert clusters[0].peer_table_state == "ambiguous"
    page = ada.get(reverse("clusters:peer_table", args=[clusters[0].pk]))
    assert "icpeer" in page.content.decode()


def test_unreadable_catalogue_is_said(clusters, hidden_lab):
    hidden_lab.clusters[0].database.execute("ALTER TABLE systables RENAME TO gone")
    try:
        job = recognise(clusters[0])
    finally:
        hidden_lab.clusters[0].database.execute("ALTER TABLE gone RENAME TO systables")
    assert job.state == "succeeded"
    assert clusters[0].peer_table_state == "unreadable"


def test_person_confirms_a_candidate_on_the_page(clusters, ada):
    columns, codes = dict(HIDDEN["columns"]), HIDDEN["protocol_values"]
    mask = columns.pop("external_phone_number_mask")
    fields = {name.lower(): code for name, code in codes.items()}
    url = reverse("clusters:peer_table", args=[clusters[0].pk])
    ada.post(url, {"table": "icpeer", "mask": mask, **columns, **fields})
    clusters[0].refresh_from_db()
    assert clusters[0].peer_table_state == "confirmed"
    assert clusters[0].peer_table["protocol_values"] == codes
    assert AuditEntry.objects.filter(action="confirm peer table").exists()
    assert ada.get(reverse("clusters:export_table", args=[clusters[0].pk])).json() == (
        clusters[0].peer_table
    )


def test_the_confirmed_table_is_not_offered_again(clusters, ada):
    one, other = clusters
    moved = {**HIDDEN, "table": "moved"}
    known = [{**table, "rows": 1, "evidence": []} for table in (HIDDEN, moved)]
    one.table_search, one.peer_table = {"candidates": known}, HIDDEN
    one.save()
    page = ada.get(reverse("clusters:peer_table", args=[one.pk]))
    assert [one["table"] for one, _ in page.context["forms"]] == ["moved"]


@pytest.mark.parametrize("mapping", [None, {**HIDDEN, "table": "nosuch"}])
def test_a_search_is_advised_where_nobody_entered_a_mapping(clusters, mapping):
    Cluster.objects.update(peer_table=mapping)
    rows = Cluster.objects.prefetch_related("nodes")
    found = gather_facts(clusters_of(rows)).clusters.values()
    advised = {(one.peers.code, one.peers.remedy == SEARCH) for one in found}
    assert advised == {("catalogue", mapping is None)}


@pytest.mark.parametrize("wrong", [{"table": "nosuch"}, {"address": "no such; --"}])
def test_what_the_catalogue_lacks_is_not_confirmed(clusters, ada, wrong):
    fields = {**HIDDEN["columns"], "table": "icpeer", **wrong}
    answer = ada.post(reverse("clusters:peer_table", args=[clusters[0].pk]), fields)
    clusters[0].refresh_from_db()
    assert answer.status_code == 200
    assert clusters[0].peer_table is None


def test_rest_recognises_shows_and_confirms(clusters, hidden_lab, api, administrator):
    peered(hidden_lab)
    client, base = api(administrator), f"/api/v1/clusters/{clusters[0].pk}/"
    assert client.post(f"{base}recognise/").status_code == 202
    perform_job(str(clusters[0].pk and table_job()))
    found = client.get(f"{base}peer-table/").json()
    assert found["state"] == "recognised"
    assert found["candidates"][0]["rows"] == 1
    answer = client.post(f"{base}peer-table/", HIDDEN, format="json")
    assert answer.json()["state"] == "confirmed"
    wrong = {**HIDDEN, "table": "nosuch"}
    assert client.post(f"{base}peer-table/", wrong, format="json").status_code == 409
    assert client.get(base).json()["peer_table_state"] == "confirmed"


def table_job():
    from jobs.models import Job

    return Job.objects.get(kind="recognise-table").pk


def test_known_table_is_offered_to_clusters_of_the_same_release(clusters):
    one, other = clusters
    one.recognised_table, one.version = HIDDEN, "8.6.5.10000"
    one.save()
    other.version = "8.6.2"
    assert peer_tables.offered_mappings(other)[0]["table"] == "icpeer"
    other.version = "12.5.1"
    assert peer_tables.offered_mappings(other) == []


def test_entry_that_appears_names_the_table(clusters, hidden_lab, peer_factory):
    home, remote = clusters
    home.provisioning = "guided"
    home.save()
    name = remote.publisher.name
    peer = peer_factory(home, remote, address=name, protocol="TCP")
    job = lifecycle.provision_peer(peer, CONSOLE)
    step = perform_now(job)
    assert job.state == "queued" and step.memo["rows_before"] == {"icpeer": 0}
    hidden_lab.clusters[0].add_peer(name, "icuser", "open sesame", "TCP")
    perform_now(job)
    home.refresh_from_db()
    assert home.peer_table_state == "recognised"
    assert AuditEntry.objects.filter(action="learn peer table").exists()
    assert job.state == "succeeded"


def test_recognised_entries_are_evidence(clusters, hidden_lab, peer_factory):
    peered(hidden_lab)
    entry = hidden_lab.clusters[0].peers()[0]
    peer = peer_factory(*clusters, address=entry.address, username=entry.username)
    recognise(clusters[0])
    check_peers([peer])
    assert Peer.objects.get(pk=peer.pk).evidence == "table"


def test_codes_come_from_attested_peers(clusters, hidden_lab, peer_factory):
    from peers.attestation import attest_entry

    peered(hidden_lab)
    entry = hidden_lab.clusters[0].peers()[0]
    peer = peer_factory(*clusters, address=entry.address, username=entry.username)
    recognise(clusters[0])
    assert clusters[0].recognised_table["protocol_values"] == {}
    attest_entry(peer, CONSOLE)
    recognise(clusters[0])
    assert clusters[0].recognised_table["protocol_values"] == {"TCP": "4"}


def test_neighbours_that_nobody_manages_are_known_by_their_users(clusters, hidden_lab):
    home, remote = clusters
    publisher = remote.publisher
    peered(hidden_lab)
    remote.delete()
    users = hidden_lab.clusters[0]
    assert eventually(lambda: users.associated_users)
    mesh = table_search.surroundings_of(home)
    assert {publisher.name.casefold(), publisher.address} <= mesh.publishers
    assert home.publisher.name.casefold() in mesh.own


def test_search_that_finds_no_table_says_so_and_not_why():
    found = Recognition(RecognitionState.NONE, queries=7, reason="It refuses.")
    sentence = table_search.sentence_of(found)
    assert "7" in sentence and found.reason not in sentence
    found = Recognition(RecognitionState.UNREADABLE, reason="It refuses.")
    assert found.reason in table_search.sentence_of(found)


def test_name_that_nobody_knows_has_no_address(monkeypatch):
    async def resolve(host, policy, *, deadline):
        if host == "gone.example.com":
            raise WireError(Code.UNRESOLVABLE)
        return Resolution(("2001:DB8::1",))

    monkeypatch.setattr(table_search.wire, "resolve_host", resolve)
    hosts = ["gone.example.com", "here.example.com"]
    assert wire.run_loop(table_search.addresses_of(hosts)) == {
        "gone.example.com": frozenset(),
        "here.example.com": frozenset(["2001:db8::1"]),
    }
