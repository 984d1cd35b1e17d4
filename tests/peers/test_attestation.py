import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from diagnostics.answers import Answer
from diagnostics.results_store import record_peers
from jobs.engine import perform_job
from jobs.models import Job
from peers import attestation, lifecycle, provisioning
from peers.models import Peer
from tests.diagnostics import healthy
from wire import Code, WireError


@pytest.fixture
def ada(client_of, administrator):
    return client_of(administrator)


@pytest.fixture
def peer(cluster_factory, peer_factory):
    home = cluster_factory("Madrid", provisioning="guided", generation="cup8")
    return peer_factory(home, cluster_factory("Oslo"))


def test_attested_peer_stands_on_the_cluster_and_says_who(ada, peer):
    ada.post(reverse("peers:attest", args=[peer.pk]), {"note": "Seen."})
    peer.refresh_from_db()
    assert peer.provisioning_state == "applied"
    assert peer.valid_attestation["by"] == "ada"
    page = ada.get(peer.get_absolute_url()).content.decode()
    assert "Attested by ada" in page and "Seen." in page
    assert AuditEntry.objects.filter(action="attest peer", actor="ada").exists()


def test_guided_job_that_waits_ends_by_it(ada, peer, monkeypatch):
    def unread(peer):
        raise WireError(Code.CATALOGUE, "There is no such table.")

    monkeypatch.setattr(provisioning, "entry_of", unread)
    job = lifecycle.provision_peer(peer, attestation.audit.CONSOLE)
    ada.post(reverse("peers:attest", args=[peer.pk]))
    perform_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED


def test_edit_is_not_covered_by_an_earlier_word(ada, peer):
    ada.post(reverse("peers:attest", args=[peer.pk]))
    peer.refresh_from_db()
    peer.protocol = "TLS"
    assert not peer.valid_attestation


@pytest.mark.parametrize(
    "changes_", [{"removing": True}, {"drift": {"protocol": "UDP"}}], ids=str
)
def test_what_the_cluster_contradicts_cannot_be_attested(
    api, administrator, peer, changes_
):
    Peer.objects.update(provisioning_state="applied", **changes_)
    answer = api(administrator).post(f"/api/v1/peers/{peer.pk}/attest/")
    assert answer.status_code == 409


def test_rest_answers_with_the_peer(api, administrator, peer):
    url = f"/api/v1/peers/{peer.pk}/attest/"
    answer = api(administrator).post(url, {"note": "By phone."}, format="json")
    assert answer.status_code == 200
    assert answer.json()["provisioning_state"] == "applied"


def test_operator_may_not_attest(api, operator, peer):
    assert api(operator).post(f"/api/v1/peers/{peer.pk}/attest/").status_code == 403


def test_word_is_taken_back_when_the_cluster_shows_otherwise(ada, peer):
    ada.post(reverse("peers:attest", args=[peer.pk]))
    peer.refresh_from_db()
    collect(peer, peers=Answer(()))
    peer.refresh_from_db()
    assert peer.attestation == {}
    assert peer.provisioning_state == "absent"
    assert AuditEntry.objects.filter(action="take attestation back").exists()


@pytest.mark.parametrize(
    ("applied_address", "state"), [("", "applied"), ("10.0.2.1", "pending")]
)
def test_users_bring_a_new_peer_to_applied_but_not_an_edit(
    peer, applied_address, state
):
    Peer.objects.update(applied_address=applied_address)
    collect(peer, peers=healthy.failure("catalogue"))
    peer.refresh_from_db()
    assert (peer.provisioning_state, peer.evidence) == (state, "users")


def collect(peer, **home):
    """Record facts in which the healthy mesh's first peer is this one."""
    from diagnostics.node_addresses import peers_of

    target = peers_of([peer], [])[0]
    one, two = str(peer.cluster_id), str(peer.remote_cluster_id)
    found = healthy.peer(
        1,
        2,
        id=str(peer.pk),
        home=one,
        remote=two,
        attested=target.attested,
        trail=target.trail,
    )
    mesh = healthy.facts(
        one=healthy.cluster(1, 2, id=one, **home),
        two=healthy.cluster(2, 1, id=two),
        there=found,
        back=healthy.peer(2, 1, home=two, remote=one),
        at=attestation.timezone.now(),
        peers={found.id: found},
    )
    record_peers(mesh)


def test_nothing_is_taken_back_where_nobody_gave_a_word(ada, peer):
    Peer.objects.update(provisioning_state="applied")
    attestation.take_back(str(peer.pk), "There is no such entry.")
    peer.refresh_from_db()
    assert peer.provisioning_state == "applied"
    assert not AuditEntry.objects.filter(action="take attestation back").exists()
