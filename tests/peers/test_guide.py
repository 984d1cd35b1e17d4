from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, BrowserSession
from jobs.models import Job
from jobs.run import perform
from peers import changes, looking, provisioning
from peers.models import Peer
from wire import Code, PeerEntry, WireError


@pytest.fixture
def ada(administrator, client_of):
    return client_of(administrator)


@pytest.fixture
def peer(cluster_factory, peer_factory):
    home = cluster_factory("Madrid", provisioning="guided", generation="cup8")
    fields = {"external_phone_number_mask": "+1408XXXX", "protocol": "TCP"}
    return peer_factory(home, cluster_factory("Oslo"), **fields)


@pytest.fixture
def job(peer):
    from accounts.audit import CONSOLE

    return changes.provision(peer, CONSOLE)


def shows(monkeypatch, entry):
    def read(peer):
        if isinstance(entry, WireError):
            raise entry
        return entry

    monkeypatch.setattr(provisioning, "entry_of", read)


def look(job):
    Job.objects.filter(pk=job.pk).update(not_before=Now())
    perform(str(job.pk))
    job.refresh_from_db()
    return job.steps.get(key="notice")


def page(client, peer):
    return client.get(reverse("peers:guide", args=[peer.pk])).content.decode()


def test_page_has_every_value_and_no_password(ada, peer, job):
    text = page(ada, peer)
    for value in (peer.address, "icuser", "TCP", "+1408XXXX"):
        assert f'data-copy="{value}"' in text
    assert f"https://{peer.cluster.publisher.address}/cupadmin/" in text
    assert "open sesame" not in text


def test_password_is_revealed_once_and_audited(ada, peer, job):
    answer = ada.post(reverse("peers:reveal", args=[peer.pk]))
    assert "open sesame" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert AuditEntry.objects.first().action == "reveal password"
    assert "open sesame" not in page(ada, peer)


def test_password_needs_a_recent_proof(ada, peer, job):
    page(ada, peer)
    BrowserSession.objects.update(proved_at=timezone.now() - timedelta(hours=2))
    text = ada.post(reverse("peers:reveal", args=[peer.pk])).content.decode()
    assert "Confirm your password" in text and "open sesame" not in text


def test_a_look_that_sees_nothing_claims_nothing(ada, peer, job, monkeypatch):
    shows(monkeypatch, None)
    look(job)
    peer.refresh_from_db()
    assert (job.state, peer.provisioning_state) == ("queued", "pending")
    assert "shows no peer" in page(ada, peer) and "Last look:" in page(ada, peer)


def test_a_wrong_value_is_named(peer, job, monkeypatch):
    shows(monkeypatch, PeerEntry(peer.address, "icuser", "UDP", "+1408XXXX"))
    assert "the preferred protocol is UDP." in look(job).memo["said"]


def test_a_value_in_another_case_is_named_too(peer, job, monkeypatch):
    shows(monkeypatch, PeerEntry(peer.address, "ICuser", "TCP", ""))
    said = look(job).memo["said"]
    assert "differs: the user name is ICuser; the phone number mask is empty." in said


def test_the_entry_as_wanted_ends_the_job(peer, job, monkeypatch):
    shows(monkeypatch, PeerEntry(peer.address, "icuser", "TCP", "+1408XXXX"))
    look(job)
    peer.refresh_from_db()
    assert (job.state, peer.provisioning_state) == ("succeeded", "applied")


def test_new_users_tell_where_the_table_cannot_be_read(peer, job, monkeypatch):
    shows(monkeypatch, WireError(Code.CATALOGUE, "There is no such table."))
    users = iter([0, 12])
    monkeypatch.setattr(looking, "associated_users", lambda home, remote: next(users))
    assert "No users of Oslo appear on Madrid yet" in look(job).memo["said"]
    assert "12 users of Oslo appear on Madrid" in look(job).detail
    assert job.state == "succeeded"


def test_users_that_were_there_before_tell_nothing(peer, job, monkeypatch):
    shows(monkeypatch, WireError(Code.CATALOGUE, "There is no such table."))
    monkeypatch.setattr(looking, "associated_users", lambda home, remote: 12)
    look(job)
    assert "were there before" in look(job).memo["said"]
    assert job.state == "queued"


def test_after_seven_days_it_needs_attention(peer, job, monkeypatch):
    shows(monkeypatch, None)
    step = look(job)
    step.memo["since"] = (timezone.now() - timedelta(days=8)).isoformat()
    step.save()
    look(job)
    assert job.state == "needs_attention" and "7 days" in job.error


def test_i_have_done_it_makes_the_job_due(ada, peer, job, monkeypatch):
    shows(monkeypatch, None)
    look(job)
    assert not Job.objects.due().exists()
    ada.post(reverse("peers:look", args=[peer.pk]))
    assert Job.objects.due().get() == job


def test_nothing_waits_is_said(ada, peer):
    url = reverse("peers:look", args=[peer.pk])
    assert "Nothing waits" in ada.post(url, follow=True).content.decode()


def test_removal_has_its_own_steps(ada, peer):
    from accounts.audit import CONSOLE

    Peer.objects.filter(pk=peer.pk).update(applied_address=peer.address)
    changes.remove_peer(peer, CONSOLE)
    text = page(ada, peer)
    assert "Delete Selected" in text and "Add New</strong>" not in text
