import pytest
from django.utils import timezone

from jobs.engine import perform_job
from jobs.models import Job
from overview.models import Problem
from overview.renewal import renew_problems
from peers.models import Peer
from peers.signals import peer_applied
from presence import PresenceObservation, ProofInterface, Stage
from proof import proving
from proof.jobs.prove import Prove
from proof.models import Canary, Proof

pytestmark = pytest.mark.django_db


def applied(peer):
    peer_applied.send(sender=Peer, peer=peer)
    return Prove.all()


def test_a_new_peering_is_proven_once_its_status_is_good(two, canaries):
    job = applied(two[0]).get()
    perform_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    assert job.not_before > timezone.now()


def test_without_canaries_nothing_is_submitted(two):
    assert not applied(two[0]).exists()


def test_the_matching_entry_does_not_submit_a_second_proof(two, canaries):
    applied(two[0])
    assert applied(two[1]).count() == 1


def all_is_well():
    Peer.objects.update(
        outcome="passed", checked_at=timezone.now(), provisioning_state="applied"
    )


def failed(peer, code="no_notification"):
    return Proof.objects.create(
        peer=peer,
        at=timezone.now(),
        outcome="failed",
        stage="subscribed",
        way="pws",
        code=code,
        problem="Nothing came.",
    )


def test_a_failed_proof_is_a_problem_until_one_passes(two, canaries):
    all_is_well()
    failed(two[0])
    renew_problems()
    assert Problem.objects.get(code="peer_presence").sentence == "Nothing came."
    Proof.objects.create(
        peer=two[0], at=timezone.now(), outcome="passed", stage="arrived", way="pws"
    )
    renew_problems()
    assert not Problem.objects.filter(code="peer_presence")


def test_both_directions_of_a_peering_are_one_problem(two, canaries):
    all_is_well()
    for peer in two:
        failed(peer)
    renew_problems()
    problem = Problem.objects.get(code="peer_presence")
    assert problem.fix_url == f"{two[0].get_absolute_url()}#status"


def test_a_canary_that_cannot_be_signed_in_is_one_problem_of_its_cluster(
    cluster_factory, peer_factory
):
    clusters = [cluster_factory(f"cluster{n}") for n in range(4)]
    Canary.objects.bulk_create(Canary(pk=one.pk, userid="anna") for one in clusters)
    broken, *others = clusters
    for other in others:
        peer_factory(broken, other), peer_factory(other, broken)
    all_is_well()
    for peer in Peer.objects.all():
        stage = "not_signed_in" if peer.cluster == broken else "not_set"
        proof = failed(peer, "presence_sign_in")
        Proof.objects.filter(pk=proof.pk).update(stage=stage, outcome="unknown")
    renew_problems()
    problem = Problem.objects.get(code="peer_presence")
    assert problem.fix_url == f"{broken.get_absolute_url()}#canary-head"
    assert len(problem.affects) == 6


def test_a_proof_of_a_cluster_without_canary_is_no_problem(two, canaries):
    all_is_well()
    failed(two[0])
    Canary.objects.update(userid="")
    renew_problems()
    assert not Problem.objects.filter(code="peer_presence")


def test_the_rewritten_host_must_be_a_node_of_the_remote_cluster(two):
    node = two[0].remote_cluster.publisher
    for host, found in ((node.address, node.address), ("192.0.2.9", "")):
        route = (f"sip:{host}:5060;transport=tcp",)
        observation = PresenceObservation(
            Stage.ARRIVED, ProofInterface.SIP, route=route
        )
        assert proving.rewritten_to(two[0], observation) == found
