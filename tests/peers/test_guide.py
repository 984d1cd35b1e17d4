import asyncio
import re
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from accounts.models import AuditEntry, BrowserSession
from jobs.engine import perform_job
from jobs.models import Job
from peers import lifecycle, observation
from peers.models import Peer
from wire import Code, PeerEntry, WireError


@pytest.fixture
def peer(cluster_factory, peer_factory):
    home = cluster_factory("Madrid", provisioning="guided", generation="cup8")
    fields = {"external_phone_number_mask": "+1408XXXX", "protocol": "TCP"}
    return peer_factory(home, cluster_factory("Oslo"), **fields)


@pytest.fixture
def job(peer):
    from accounts.audit import CONSOLE

    return lifecycle.provision_peer(peer, CONSOLE)


def shows(monkeypatch, entry):
    def read(peer):
        if isinstance(entry, WireError):
            raise entry
        return entry

    monkeypatch.setattr(observation, "entry_of", read)


def counts(monkeypatch, numbers):
    """Users there are on the home cluster, then on the remote one, in turn."""
    monkeypatch.setattr(observation, "count_users", lambda where, remote: next(numbers))


def perform_now(job):
    Job.objects.filter(pk=job.pk).update(not_before=Now())
    perform_job(str(job.pk))
    job.refresh_from_db()
    return job.steps.get(key="notice")


def differing(step):
    """The fields that a look found different, by what it calls them."""
    sentence = step.memo["sentence"]
    return [name for name, label in observation.FIELDS.items() if label in sentence]


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
    answer = ada.post(reverse("peers:reveal", args=[peer.pk]))
    assert answer.templates[0].name == "accounts/reauthenticate.html"
    assert "open sesame" not in answer.content.decode()


def test_a_look_that_sees_nothing_claims_nothing(ada, peer, job, monkeypatch):
    shows(monkeypatch, None)
    perform_now(job)
    peer.refresh_from_db()
    assert (job.state, peer.provisioning_state) == ("queued", "pending")
    answer = ada.get(reverse("peers:guide", args=[peer.pk]))
    sentence = answer.context["guide"].last_check.sentence
    assert sentence == observation.missing_entry(None, peer)
    assert peer.address in sentence
    assert escape(sentence) in answer.content.decode()


def test_a_wrong_value_is_named(peer, job, monkeypatch):
    shows(monkeypatch, PeerEntry(peer.address, "icuser", "UDP", "+1408XXXX"))
    step = perform_now(job)
    assert differing(step) == ["protocol"]
    assert "UDP" in step.memo["sentence"]


def test_a_value_in_another_case_is_named_too(peer, job, monkeypatch):
    shows(monkeypatch, PeerEntry(peer.address, "ICuser", "TCP", ""))
    step = perform_now(job)
    assert differing(step) == ["username", "external_phone_number_mask"]
    assert "ICuser" in step.memo["sentence"]


def test_the_entry_as_wanted_ends_the_job(peer, job, monkeypatch):
    shows(monkeypatch, PeerEntry(peer.address, "icuser", "TCP", "+1408XXXX"))
    perform_now(job)
    peer.refresh_from_db()
    assert (job.state, peer.provisioning_state) == ("succeeded", "applied")


def test_new_users_tell_where_the_table_cannot_be_read(peer, job, monkeypatch):
    shows(monkeypatch, WireError(Code.CATALOGUE, "There is no such table."))
    counts(monkeypatch, iter([0, 12, 12, 12]))
    assert re.findall(r"\d+", perform_now(job).memo["sentence"]) == ["0", "12"]
    assert re.findall(r"\d+", perform_now(job).detail) == ["12", "12"]
    assert job.state == "succeeded"


@pytest.mark.parametrize("users", [[None, 12], [0, None], [None, None]])
def test_users_of_unlisted_nodes_are_not_counted_as_none(peer, job, monkeypatch, users):
    shows(monkeypatch, WireError(Code.CATALOGUE, "There is no such table."))
    counts(monkeypatch, iter(users))
    step = perform_now(job)
    assert not re.findall(r"\d+", step.memo["sentence"])
    assert (job.state, "users_before" in step.memo) == ("queued", False)


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        ([("Oslo-pub.example.com", "7"), ("", "3")], 7),
        ([("other.example.com", "7")], 0),
        ([("other.example.com", "7"), ("", "3")], None),
    ],
)
def test_a_count_of_none_is_known_only_where_all_nodes_are_listed(
    peer, monkeypatch, rows, number
):
    class Axl:
        node = peer.cluster.publisher

        async def rows(self, query):
            for name, count in rows:
                yield {"name": name, "usercount": count}

    def ask(node, question):
        return asyncio.run(question(Axl()))

    monkeypatch.setattr(observation, "ask_node", ask)
    assert observation.associated_users(peer.cluster, peer.remote_cluster) == number


def test_peering_that_has_run_for_years_ends_the_job(peer, job, monkeypatch):
    shows(monkeypatch, WireError(Code.CATALOGUE, "There is no such table."))
    counts(monkeypatch, iter([12, 12]))
    perform_now(job)
    peer.refresh_from_db()
    assert (job.state, peer.provisioning_state) == ("succeeded", "applied")


def test_other_users_that_were_there_before_prove_nothing(peer, job, monkeypatch):
    shows(monkeypatch, WireError(Code.CATALOGUE, "There is no such table."))
    counts(monkeypatch, iter([9, 12, 9, 12]))
    perform_now(job)
    perform_now(job)
    assert job.state == "queued"


def test_users_do_not_show_that_an_edit_was_entered(peer, job, monkeypatch):
    Peer.objects.update(applied_address=peer.address)
    shows(monkeypatch, WireError(Code.CATALOGUE, "There is no such table."))
    counts(monkeypatch, iter([12, 12]))
    perform_now(job)
    assert job.state == "queued"


def test_after_seven_days_it_needs_attention(peer, job, monkeypatch):
    shows(monkeypatch, None)
    step = perform_now(job)
    step.memo["since"] = (timezone.now() - timedelta(days=8)).isoformat()
    step.save()
    perform_now(job)
    assert job.state == "needs_attention" and "7 days" in job.error


def test_i_have_done_it_makes_the_job_due(ada, peer, job, monkeypatch):
    shows(monkeypatch, None)
    perform_now(job)
    assert not Job.objects.due().exists()
    ada.post(reverse("peers:look", args=[peer.pk]))
    assert Job.objects.due().get() == job


def test_rest_makes_the_job_due_too(administrator, api, peer, job, monkeypatch):
    shows(monkeypatch, None)
    perform_now(job)
    url = f"/api/v1/peers/{peer.pk}/read-again/"
    answer = api(administrator).post(url)
    assert (answer.status_code, answer.json()["id"]) == (202, str(job.pk))
    assert Job.objects.due().get() == job


def test_rest_says_409_where_nothing_waits(administrator, api, peer):
    url = f"/api/v1/peers/{peer.pk}/read-again/"
    assert api(administrator).post(url).status_code == 409


def test_nothing_waits_is_said(ada, peer):
    url = reverse("peers:look", args=[peer.pk])
    assert "Nothing waits" in ada.post(url, follow=True).content.decode()


def test_removal_has_its_own_steps(ada, peer):
    from accounts.audit import CONSOLE

    Peer.objects.filter(pk=peer.pk).update(applied_address=peer.address)
    lifecycle.submit_removal(peer, CONSOLE)
    text = page(ada, peer)
    assert "Delete Selected" in text and "Add New</strong>" not in text
