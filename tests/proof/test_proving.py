from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.audit import CONSOLE
from accounts.models import AuditEntry
from clusters.models import Cluster
from jobs import presence
from jobs.engine import perform_job
from jobs.models import Job
from proof import canaries, pairs, proving
from proof.jobs.prove import Prove
from proof.models import Canary, PresenceCertificate, Proof

pytestmark = pytest.mark.django_db


def proven(pair, n=0):
    peer = pairs.with_canaries(pair.peers[n].pk)
    return proving.prove_direction(peer, *pairs.pair_of(peer))


def agent_stopped(pair):
    there = pair.there[1]
    there.publisher.service(there.release.sync_agent).set("Stopped")


def no_entry_back(pair):
    there = pair.there[1]
    there.remove_peer(there.peer_to(pair.there[0]).address)


def wrong_protocol(pair):
    no_entry_back(pair)
    pair.there[1].enter_peer(pair.there[0], protocol="TLS")


def proxy_down(pair):
    pair.there[1].publisher.sip_proxy.set("Stopped")


def user_not_synced(pair):
    pair.there[0].set_fault("agent", "skip:3")
    pair.carry()


def blocked_watcher(pair):
    pair.there[1].set_fault("presence", "blocked")


def wrong_domain(pair):
    Cluster.objects.filter(pk=pair.clusters[1].pk).update(domain="other.example")


def dns(pair):
    pair.there[1].publisher.set_fault("dns", "nxdomain")


BROKEN = [
    (agent_stopped, "agent_stopped", "subscribed"),
    (no_entry_back, "no_matching_entry", "subscribed"),
    (wrong_protocol, "wrong_protocol", "subscribed"),
    (proxy_down, "proxy_down", "not_set"),
    (user_not_synced, "user_not_synced", "unknown_user"),
    (blocked_watcher, "blocked", "blocked"),
    (wrong_domain, "wrong_domain", "unknown_user"),
    (dns, "dns", "subscribed"),
]


@pytest.mark.parametrize(
    ("damage", "code", "stage"), BROKEN, ids=[one.__name__ for one, *_ in BROKEN]
)
def test_each_broken_peering_is_named(pair, damage, code, stage):
    damage(pair)
    proof = proven(pair)
    assert (proof.code, proof.stage) == (code, stage)
    assert proof.outcome in ("failed", "warning")
    assert proof.problem and proof.solution
    assert proof.latency_ms is None


def test_a_cause_that_came_after_the_last_check_is_named(pair, monkeypatch):
    # What was read of services just now is not read again.
    monkeypatch.setattr("diagnostics.service_readings.FRESH", timedelta(0))
    blocked_watcher(pair)
    assert proven(pair).code == "blocked"
    for cluster in pair.there:
        cluster.lab.clear_faults()
    agent_stopped(pair)
    assert proven(pair).code == "agent_stopped"


def test_a_working_peering_is_proven_both_ways_by_one_job(pair):
    job = Prove.submit(pairs.with_canaries(pair.peers[0].pk))
    perform_job(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.SUCCEEDED, "")
    for peer in pair.peers:
        proof = peer.proofs.get()
        assert (proof.outcome, proof.stage, proof.way) == ("passed", "arrived", "pws")
        assert proof.latency_ms > 0
    for there in pair.there:
        assert there.availability.states == {}
    assert not Canary.objects.exclude(state_set_at=None)


def test_clusters_that_no_worker_reaches_both_are_not_proven(
    pair, settings, monkeypatch
):
    settings.SITES = ["berlin"]
    Cluster.objects.filter(pk=pair.clusters[0].pk).update(site="berlin")
    monkeypatch.setattr(presence, "_queues", frozenset(["site-berlin"]))
    job = Prove.submit(pairs.with_canaries(pair.peers[0].pk))
    perform_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED
    names = [one.name for one in pair.clusters]
    for step in job.steps.all():
        assert all(name in step.detail for name in names)
    assert not Proof.objects.exists()


def test_what_a_crash_left_is_set_back_by_the_next_proof(pair):
    userid = pair.there[1].users()[0]
    pair.there[1].availability.set(userid, "AWAY")
    row = Canary.objects.filter(pk=pair.clusters[1].pk)
    row.update(state_set_at=timezone.now(), state_before="UNAVAILABLE")
    assert proven(pair).outcome == "passed"
    assert pair.there[1].availability.states == {}
    assert row.get().state_set_at is None


def test_a_state_that_could_not_be_set_back_is_remembered(pair, monkeypatch):
    async def nothing(session, before):
        return False

    monkeypatch.setattr("presence.by_service.take_back", nothing)
    proof = proven(pair)
    assert (proof.outcome, proof.code) == ("warning", "not_taken_back")
    assert Canary.objects.get(pk=pair.clusters[1].pk).state_set_at is not None


def test_the_home_node_is_found_and_remembered(pair):
    proven(pair)
    for cluster in pair.clusters:
        row = Canary.objects.get(pk=cluster.pk)
        assert row.home_node_id == cluster.publisher.pk


def test_a_wrong_password_says_nothing_about_presence(pair):
    canaries.save_canary(pair.clusters[0], {"presence_password": "wrong"}, CONSOLE)
    proof = proven(pair)
    assert (proof.outcome, proof.code) == ("unknown", "presence_sign_in")


def test_an_unconfirmed_certificate_keeps_everything_from_the_node(pair):
    PresenceCertificate.objects.all().delete()
    proof = proven(pair)
    assert (proof.outcome, proof.code) == ("unknown", "certificate_unknown")
    for there in pair.there:
        requested = [call for call in there.publisher.calls if "/presence" in call.path]
        assert requested == []


def test_a_user_who_does_not_exist_is_named(pair):
    canaries.save_canary(pair.clusters[1], {"userid": "nobody"}, CONSOLE)
    proof = proven(pair)
    assert (proof.outcome, proof.code) == ("unknown", "presence_user")


def test_old_proofs_are_deleted(pair, monkeypatch):
    monkeypatch.setattr("django.conf.settings.KEPT_PROOFS", 2)
    for _ in range(4):
        proven(pair)
    assert pair.peers[0].proofs.count() == 2


def test_no_password_is_in_the_audit_trail_or_a_proof(pair):
    proven(pair)
    secret = pair.there[0].presence.password
    assert secret not in str(list(AuditEntry.objects.values()))
    assert secret not in str(list(Proof.objects.values()))
    assert secret not in str(list(Canary.objects.values()))
