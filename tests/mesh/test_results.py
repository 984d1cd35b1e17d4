"""What goes wrong with one cluster is kept from the others, and told by pair."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.cluster_limits import Limit, limited_to
from clusters.models import Cluster
from jobs.engine import perform_job
from jobs.locks import JobLock
from jobs.models import Job, JobStep
from mesh import verification
from mesh.intent import MeshIntent
from mesh.models import Draft
from mesh.plan import plan_mesh
from mesh.results import resolved_peers, results_of
from overview.found import ProblemBook
from overview.sources.jobs import report_troubled
from peers import observation
from peers.models import Peer
from tests.elements import elements, levels
from tests.mesh.test_setup import apply, entries
from tests.workers import done

pytestmark = pytest.mark.django_db(transaction=True)

PLAN_LEFT = "//*[@id='results']//form//button"


def states(job: Job) -> dict[str, str]:
    return {f"{r.one}-{r.other}": r.state for r in results_of(job)}


def unready(cluster: Cluster) -> None:
    cluster.seal("axl_password", "wrong")
    cluster.save()


def once(job: Job) -> Job:
    perform_job(str(job.pk))
    job.refresh_from_db()
    return job


def again(job: Job) -> Job:
    Job.objects.filter(pk=job.pk).update(not_before=job.created_at)
    return once(job)


def by_hand(simulated, peer: Peer) -> None:
    password = peer.unseal("password").reveal()
    simulated.add_peer(peer.address, peer.username, password)


@pytest.fixture
def guided(clusters: list[Cluster]) -> Cluster:
    clusters[1].provisioning = "guided"
    clusters[1].save()
    return clusters[1]


def test_a_cluster_that_is_not_ready_leaves_only_its_own_pairs_out(lab, clusters):
    unready(clusters[1])
    job = done(apply(MeshIntent.whole_mesh(clusters)))
    assert job.state == Job.State.NEEDS_ATTENTION
    assert entries(lab) == [1, 0, 1]
    one, two, three = (cluster.name for cluster in clusters)
    assert states(job) == {
        f"{one}-{two}": "left-out",
        f"{one}-{three}": "verified",
        f"{two}-{three}": "left-out",
    }


def test_the_end_names_the_cluster_once_and_counts_what_is_verified(clusters):
    unready(clusters[1])
    job = done(apply(MeshIntent.whole_mesh(clusters)))
    (reason,) = {one.sentence for one in results_of(job) if one.state == "left-out"}
    counts, rest = job.error.split(reason)
    assert str(clusters[1]) in reason
    assert re.findall(r"\d+", counts) == ["1", "3"]
    assert re.findall(r"\d+", rest) == ["2"]


def test_no_row_of_a_pair_that_was_left_out_waits_for_ever(clusters):
    unready(clusters[1])
    done(apply(MeshIntent.whole_mesh(clusters)))
    found = list(Peer.objects.values_list("provisioning_state", flat=True))
    assert found == ["applied", "applied"]


def test_a_failure_of_one_pair_does_not_undo_another(lab, clusters):
    clusters[2].peer_table = {
        "table": "elsewhere",
        "columns": {"address": "a", "username": "b", "password": "c", "protocol": "d"},
        "protocol_values": {"TCP": "1"},
    }
    clusters[2].save()
    job = done(apply(MeshIntent.whole_mesh(clusters)))
    assert job.state == Job.State.NEEDS_ATTENTION
    assert entries(lab) == [1, 1, 0]
    assert sorted(states(job).values()) == ["undone", "undone", "verified"]


def test_a_retry_goes_on_with_what_was_left(lab, clusters):
    lab.clusters[1].publisher.set_fault("node", "down")
    job = done(apply(MeshIntent.whole_mesh(clusters)))
    assert entries(lab) == [1, 0, 1]
    lab.clusters[1].publisher.clear_faults()
    job.retry()
    assert done(job).state == Job.State.SUCCEEDED, job.error
    assert entries(lab) == [2, 2, 2]


def test_a_side_by_hand_holds_no_other_pair_back(lab, clusters, guided):
    job = once(apply(MeshIntent.whole_mesh(clusters)))
    assert job.state == Job.State.QUEUED
    assert sorted(states(job).values()) == ["by-hand", "by-hand", "verified"]
    assert entries(lab) == [1, 0, 1]
    assert re.findall(r"\d+", job.doing) == ["2"]


def test_a_side_made_by_hand_is_followed_by_the_other_and_verified(
    lab, clusters, guided
):
    job = once(apply(MeshIntent.whole_mesh(clusters)))
    for peer in Peer.objects.filter(cluster=guided):
        by_hand(lab.clusters[1], peer)
    job = again(job)
    assert job.state == Job.State.SUCCEEDED, job.error
    assert entries(lab) == [2, 2, 2]
    assert set(states(job).values()) == {"verified"}


def test_a_job_that_waits_for_a_person_keeps_nobody_from_the_clusters(
    lab, clusters, guided
):
    job = once(apply(MeshIntent.whole_mesh(clusters)))
    names = set(JobLock.objects.filter(job=job).values_list("name", flat=True))
    assert not [name for name in names if name.startswith("mesh:")]
    assert len(names) == 4
    other = done(apply(MeshIntent(((clusters[0], clusters[2]),))))
    assert other.state == Job.State.SUCCEEDED


def test_what_is_made_by_hand_waits_while_another_job_has_the_cluster(
    lab, clusters, guided
):
    job = once(apply(MeshIntent.whole_mesh(clusters)))
    other = apply(MeshIntent(((clusters[0], clusters[2]),)))
    for peer in Peer.objects.filter(cluster=guided):
        by_hand(lab.clusters[1], peer)
    assert again(job).state == Job.State.QUEUED
    assert entries(lab) == [1, 2, 1]
    done(other)
    assert again(job).state == Job.State.SUCCEEDED, job.error


def test_the_guide_shows_what_the_set_up_job_saw(
    clusters, guided, administrator, client_of
):
    job = once(apply(MeshIntent.whole_mesh(clusters)))
    peer = Peer.objects.filter(cluster=guided).first()
    ada = client_of(administrator)
    page = ada.get(reverse("peers:guide", args=[peer.pk]))
    observed = page.context["guide"].last_check.sentence
    assert observed == observation.missing_entry(None, peer)
    assert peer.address in observed
    assert job.get_absolute_url() in page.content.decode()
    Job.objects.filter(pk=job.pk).update(not_before="2100-01-01T00:00Z")
    ada.post(reverse("peers:look", args=[peer.pk]))
    assert Job.objects.due().filter(pk=job.pk).exists()


def test_what_a_cancelled_wait_left_unwritten_is_planned_again(clusters, guided):
    expected = MeshIntent.whole_mesh(clusters)
    job = once(apply(expected))
    job.cancel()
    found = plan_mesh(expected)
    assert len(found.changes) == 4
    assert {step.action for step in found.changes} == {"create"}


def test_what_waits_to_be_written_is_not_planned_twice(clusters):
    apply(expected := MeshIntent.whole_mesh(clusters))
    assert not plan_mesh(expected).changes


def test_what_is_left_is_planned_by_one_click(clusters, administrator, client_of):
    unready(clusters[1])
    job = done(apply(MeshIntent.whole_mesh(clusters, protocol="TLS")))
    url = reverse("mesh:results", args=[job.pk])
    assert url == job.steps.get(key="results").memo["url"]
    ada = client_of(administrator)
    page = ada.get(url)
    assert (page.context["good"], page.context["left"]) == (1, 2)
    assert elements(page, PLAN_LEFT)
    answer = ada.post(url)
    draft = Draft.objects.get()
    assert answer.url == draft.get_absolute_url()
    found = plan_mesh(draft.intent)
    assert len(found.changes) == 4
    assert {step.after["protocol"] for step in found.changes} == {"TLS"}


def test_a_plan_of_what_is_left_takes_a_corrected_password(lab, clusters):
    unready(clusters[1])
    expected = MeshIntent(((clusters[0], clusters[1]),))
    assert done(apply(expected)).state == Job.State.FAILED
    clusters[1].seal("axl_password", lab.describe()["clusters"][1]["axl_password"])
    clusters[1].save()
    assert done(apply(expected)).state == Job.State.SUCCEEDED


def test_nothing_is_planned_while_the_job_is_under_way(
    clusters, administrator, client_of
):
    job = apply(MeshIntent.whole_mesh(clusters))
    url = reverse("mesh:results", args=[job.pk])
    answer = client_of(administrator).post(url, follow=True)
    assert levels(answer) == ["error"]
    assert not Draft.objects.exists()


def test_nothing_is_left_of_a_job_that_succeeded(clusters, administrator, client_of):
    job = done(apply(MeshIntent(((clusters[0], clusters[1]),))))
    ada = client_of(administrator)
    url = reverse("mesh:results", args=[job.pk])
    assert not elements(ada.get(url), PLAN_LEFT)
    assert levels(ada.post(url, follow=True)) == ["info"]
    assert not Draft.objects.exists()


def test_results_of_a_deleted_cluster_are_still_shown(clusters, viewer, client_of):
    job = done(apply(MeshIntent(((clusters[0], clusters[1]),))))
    clusters[1].delete()
    page = client_of(viewer).get(reverse("mesh:results", args=[job.pk]))
    assert "deleted" in page.content.decode()


def test_rest_tells_the_result_of_each_pair(clusters, guided, viewer, api):
    job = once(apply(MeshIntent.whole_mesh(clusters)))
    reported = api(viewer).get(f"/api/v1/mesh/results/{job.pk}/").json()
    assert sorted(one["state"] for one in reported) == [
        "by-hand",
        "by-hand",
        "verified",
    ]
    waiting = [one for one in reported if one["by_hand"]]
    assert all(str(guided.pk) in one["clusters"] for one in waiting)
    peer = Peer.objects.get(pk=waiting[0]["by_hand"][0])
    assert observation.missing_entry(None, peer) == waiting[0]["detail"]


def test_a_job_of_another_kind_has_no_results(viewer, client_of, api):
    job = Job.objects.submit("check-peers", [("check-0", "Check")])
    page = client_of(viewer).get(reverse("mesh:results", args=[job.pk]))
    assert page.status_code == 404
    assert api(viewer).get(f"/api/v1/mesh/results/{job.pk}/").status_code == 404


def test_a_side_that_was_written_and_not_read_back_is_taken_back(
    lab, clusters, monkeypatch
):
    """The step failed, but the entry stands."""
    from mesh import entries as module
    from wire import Code, WireError

    def lost(peer):
        raise WireError(Code.TIMEOUT, "No answer.")

    monkeypatch.setattr(module.provisioning, "read_back", lost)
    job = done(apply(MeshIntent(((clusters[0], clusters[1]),))))
    assert job.state == Job.State.ROLLED_BACK
    assert entries(lab) == [0, 0, 0]
    assert job.steps.filter(state=JobStep.State.UNDONE).count() == 1


def attention_texts() -> list[str]:
    book = ProblemBook([])
    report_troubled(book)
    return [found.sentence for found in book.found.values()]


def test_a_job_needs_no_attention_once_its_pairs_are_good(lab, clusters, monkeypatch):
    monkeypatch.setattr(verification, "VERIFY_FOR", 1.0)
    lab.clusters[0].set_fault("agent", "skip")
    job = done(apply(MeshIntent((tuple(clusters[:2]),))))
    assert any(text.startswith(str(job)) for text in attention_texts())
    sides = list(Peer.objects.all())
    Peer.objects.update(outcome="passed")  # as last seen while the job worked
    assert any(text.startswith(str(job)) for text in attention_texts())
    Peer.objects.update(checked_at=timezone.now())
    assert attention_texts() == []
    with limited_to(Limit(frozenset({clusters[0].pk}))):
        assert not resolved_peers(job)
    sides[0].delete()
    assert any(text.startswith(str(job)) for text in attention_texts())
    sides[1].delete()
    assert attention_texts() == []
