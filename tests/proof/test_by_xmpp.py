"""A proof over XMPP from the pages on, against servers that are not ours."""

from importlib.util import find_spec

import pytest
from django.urls import reverse

from clusters.models import Cluster, Node
from jobs.engine import perform_job
from jobs.models import Job
from proof.models import PresenceCertificate, Proof
from tests.conftest import missing
from tests.presence import prosody
from tests.presence.prosody import Server, free_port

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]

ADDRESSES = "127.79.0.1", "127.79.0.2"
PROOF = {"proof_password": "correct horse battery"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """A server for each cluster; both reach each other."""
    if not prosody.is_installed():
        missing("xmpp", "there is no Prosody on this machine")
    if find_spec("slixmpp") is None:
        missing("xmpp", "slixmpp is not installed")
    folder = tmp_path_factory.mktemp("prosody")
    found = [Server(address, folder / address) for address in ADDRESSES]
    try:
        for server in found:
            server.start("anna", "anton")
        yield found
    finally:
        for server in found:
            server.stop()


@pytest.fixture
def peers(transactional_db, servers, cluster_factory, peer_factory):
    """Two clusters whose nodes are these servers."""
    clusters = [cluster_factory() for server in servers]
    for cluster, server in zip(clusters, servers, strict=True):
        cluster.domain = server.address
        cluster.save(update_fields=["domain"])
        Node.objects.filter(cluster=cluster).update(address=server.address)
    home, remote = Cluster.objects.filter(pk__in=[c.pk for c in clusters])
    return peer_factory(home, remote), peer_factory(remote, home)


@pytest.fixture
def client(client_of, administrator):
    return client_of(administrator)


def name_canary(client, peer, server, **changes):
    given = {
        "userid": "anna",
        "watcher_userid": "anton",
        "way": "xmpp",
        "presence_port": "8083",
        "xmpp_port": server.port,
        "xmpp_password": prosody.PASSWORD,
        "watcher_xmpp_password": prosody.PASSWORD,
        **changes,
    }
    url = reverse("proof:canary", args=[peer.cluster_id])
    assert client.post(url, given).status_code == 302


def confirm_certificate(client, peer, server):
    node = peer.cluster.publisher
    page = reverse("proof:certificate", args=[node.pk])
    shown = client.get(page, {"kind": "cup-xmpp"}).context["certificate"]
    assert shown.fingerprint == server.fingerprint
    given = {"kind": "cup-xmpp", "fingerprint": shown.fingerprint, **PROOF}
    client.post(reverse("proof:trust", args=[node.pk]), given)
    assert PresenceCertificate.objects.filter(node=node, kind="cup-xmpp").exists()


@pytest.fixture
def ready(client, peers, servers):
    for peer, server in zip(peers, servers, strict=True):
        name_canary(client, peer, server)
        confirm_certificate(client, peer, server)
    return peers


def prove(client, peer):
    client.post(reverse("proof:prove", args=[peer.pk]))
    job = Job.objects.get(kind="prove", target_id=str(peer.pk))
    perform_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED, job.error
    return client.get(reverse("proof:line", args=[peer.pk])).context["line"]


def test_presence_and_a_message_arrive_both_ways(client, ready):
    shown = prove(client, ready[0])
    assert (shown.outcome, shown.evidence) == ("passed", "probe")
    proofs = list(Proof.objects.all())
    assert {proof.peer_id for proof in proofs} == {peer.pk for peer in ready}
    assert {(proof.outcome, proof.way) for proof in proofs} == {("passed", "xmpp")}
    assert all(proof.latency_ms and proof.message_ms for proof in proofs)


def test_a_wrong_password_says_nothing_about_presence(client, ready, servers):
    name_canary(client, ready[1], servers[1], xmpp_password="wrong")
    prove(client, ready[0])
    proof = Proof.objects.get(peer=ready[0])
    assert (proof.outcome, proof.code) == ("unknown", "presence_xmpp_sign_in")


def test_a_server_that_does_not_answer_is_the_clusters_fault(client, ready, servers):
    closed = free_port(servers[1].address)
    name_canary(client, ready[1], servers[1], xmpp_port=closed)
    prove(client, ready[0])
    proof = Proof.objects.get(peer=ready[0])
    assert (proof.outcome, proof.code) == ("failed", "router_down")


def test_a_canary_that_its_cluster_does_not_know_cannot_sign_in(client, ready, servers):
    name_canary(client, ready[1], servers[1], userid="nobody")
    prove(client, ready[0])
    proof = Proof.objects.get(peer=ready[0])
    assert (proof.outcome, proof.code) == ("unknown", "presence_xmpp_sign_in")
