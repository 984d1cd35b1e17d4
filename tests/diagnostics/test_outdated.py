"""What was asked before an edit is not stored after it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.audit import CONSOLE
from clusters import certificates, contacts
from clusters.conversation import ask_node
from clusters.editing import save_cluster, save_node
from clusters.editions import edition_of
from clusters.jobs.test import TestCluster
from clusters.models import Cluster, Node
from diagnostics.answers import Answer
from diagnostics.facts_json import pack_facts, unpack_facts
from diagnostics.jobs.check import CheckPeers
from diagnostics.node_addresses import clusters_of, peers_of
from diagnostics.results_store import record_contact, store_facts
from jobs.engine import perform_job
from jobs.models import Job
from peers.models import Peer
from tests.diagnostics import healthy
from wire import Code, WireError

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(cluster_factory, peer_factory):
    home, remote = cluster_factory("rome"), cluster_factory("oslo")
    return home, remote, peer_factory(home, remote)


def asked(pair):
    """Facts as they were asked with what is stored now; AXL of each node refuses."""
    home, remote, row = pair
    rows = Cluster.objects.filter(pk__in=[home.pk, remote.pk])
    targets = clusters_of(rows.prefetch_related("nodes"))
    described = {}
    for n, target in enumerate(targets, 1):
        nodes = tuple(
            healthy.node(n, 1, True, id=one.id, axl=healthy.failure("unauthorized"))
            for one in target.nodes
        )
        described[target.id] = healthy.cluster(
            n, 3 - n, id=target.id, nodes=nodes, edition=target.edition
        )
    [aim] = peers_of([row], targets)
    found = healthy.peer(
        1, 2, id=aim.id, home=aim.home, remote=aim.remote, revision=aim.revision
    )
    at = timezone.now()
    facts = healthy.facts(at=at, clusters=described, peers={found.id: found})
    return unpack_facts(pack_facts(facts))


def codes(cluster):
    return set(cluster.nodes.values_list("contact_code", flat=True))


def rename_account(cluster):
    cluster.axl_username = "other"
    save_cluster(cluster, CONSOLE, fields=["axl_username"])


def move_node(cluster):
    node = cluster.publisher
    node.address = "127.66.9.9"
    save_node(node, CONSOLE, fields=["address"])


def confirm(cluster):
    cluster.publisher.trust("cd" * 32, timezone.now())


def test_what_nobody_edited_is_stored(pair):
    outcomes = store_facts(asked(pair))
    home, _, row = pair
    home.refresh_from_db()
    row.refresh_from_db()
    assert codes(home) == {"unauthorized"}
    assert home.checked_at
    assert outcomes == {str(row.pk): row.outcome}


@pytest.mark.parametrize("edit", [rename_account, move_node, confirm])
@pytest.mark.parametrize("side", [0, 1])
def test_a_cluster_that_was_edited_keeps_what_is_stored(pair, edit, side):
    facts = asked(pair)
    edit(pair[side])
    outcomes = store_facts(facts)
    row = pair[2]
    row.refresh_from_db()
    edited, other = (Cluster.objects.get(pk=pair[n].pk) for n in (side, 1 - side))
    assert (codes(edited), edited.checked_at) == ({""}, None)
    assert (codes(other), bool(other.checked_at)) == ({"unauthorized"}, True)
    assert (outcomes, row.checked_at) == ({str(row.pk): "unknown"}, None)


def test_a_peer_that_was_edited_keeps_what_is_stored(pair):
    facts = asked(pair)
    row = pair[2]
    row.username = "other"
    row.save_edit("username")
    store_facts(facts)
    row.refresh_from_db()
    assert row.checked_at is None


def test_an_earlier_check_does_not_replace_a_later_one(pair):
    home, now = pair[0], timezone.now()
    rows = Cluster.objects.filter(pk=home.pk)
    assert rows.remember_check(now, "ok")
    assert not rows.remember_check(now - timedelta(seconds=1), "failed")
    assert rows.get().health == "ok"


def test_a_certificate_of_before_does_not_stop_a_node_that_was_trusted_again(pair):
    before = pair[0].publisher
    Node.objects.get(pk=before.pk).trust("cd" * 32, timezone.now())
    contacts.notice_change(before, "cd" * 32)
    assert Node.objects.get(pk=before.pk).trusted


def test_a_conversation_of_before_says_nothing_of_the_node(pair, monkeypatch):
    node = Node.objects.select_related("cluster").get(pk=pair[0].publisher.pk)

    def refuse(question):
        question.close()
        rename_account(Cluster.objects.get(pk=node.cluster_id))
        raise WireError(Code.UNAUTHORIZED, node=node.name)

    monkeypatch.setattr("wire.run_loop", refuse)
    with pytest.raises(WireError):
        ask_node(node, lambda axl: None)
    assert codes(pair[0]) == {""}


def test_a_test_of_before_says_nothing_of_the_health(pair, monkeypatch):
    home = pair[0]

    def refuse(node):
        rename_account(Cluster.objects.get(pk=home.pk))
        raise WireError(Code.UNAUTHORIZED, node=node.name)

    monkeypatch.setattr("clusters.jobs.test.probe_node", refuse)
    perform_job(str(TestCluster.submit(home, CONSOLE).pk))
    home.refresh_from_db()
    assert (home.health, home.checked_at) == ("unknown", None)


@pytest.mark.parametrize(
    ("connect", "code"),
    [(healthy.failure("refused"), "refused"), (Answer(1.0), "certificate_unknown")],
)
def test_a_silent_node_is_not_one_that_only_waits_to_be_confirmed(pair, connect, code):
    axl = healthy.failure("certificate_unknown")
    pk = str(pair[0].publisher.pk)
    node = healthy.node(1, 1, True, id=pk, connect=connect, axl=axl)
    record_contact(node, timezone.now())
    assert codes(pair[0]) == {code}


@pytest.fixture
def presenting(monkeypatch):
    def present(nodes):
        return {
            node: (healthy.certificate(fingerprint="cd" * 32), None) for node in nodes
        }

    monkeypatch.setattr(certificates, "present_certificates", present)


def kinds():
    return sorted(Job.objects.values_list("kind", flat=True))


def test_the_last_certificate_that_is_confirmed_has_the_cluster_looked_at(
    pair, presenting
):
    home = pair[0]
    Cluster.objects.filter(pk=home.pk).update(version="8.6")
    sub = Node.objects.create(
        cluster=home, name="sub", address="127.66.8.8", role="subscriber"
    )
    for node in (home.publisher, sub):
        Node.objects.filter(pk=node.pk).update(
            certificate_state="unknown", contact_code="certificate_unknown"
        )
    for node, expected in ((sub, []), (home.publisher, [CheckPeers, TestCluster])):
        node.refresh_from_db()
        certificates.trust_certificate(node, "cd" * 32, CONSOLE)
        assert kinds() == [kind.name for kind in expected]
    assert codes(home) == {""}


@pytest.mark.parametrize(
    ("values", "tested"),
    [
        ({"axl_port": 9443}, True),
        ({"address": "127.66.7.7"}, True),
        ({"sip_port": 5}, False),
    ],
)
def test_a_node_that_was_moved_is_reached_again(
    pair, api, administrator, values, tested
):
    node = pair[0].publisher
    url = f"/api/v1/nodes/{node.pk}/"
    reply = api(administrator).patch(
        url, values, format="json", HTTP_IF_MATCH=node.etag
    )
    assert reply.status_code == 200, reply.content
    assert kinds() == ["test-cluster"] * tested


def test_an_edition_changes_with_the_cluster_and_with_each_node(pair):
    seen = [edition_of(pair[0])]
    for edit in (rename_account, move_node, confirm):
        edit(Cluster.objects.get(pk=pair[0].pk))
        seen.append(edition_of(Cluster.objects.get(pk=pair[0].pk)))
    assert len(set(seen)) == 4
    assert not Peer.objects.exclude(checked_at=None).exists()
