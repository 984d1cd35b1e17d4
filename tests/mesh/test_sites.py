"""A mesh over several sites: the job goes to the workers that reach what is next."""

import pytest

from accounts.audit import CONSOLE
from clusters.models import Cluster
from directory.jobs.snapshot import SnapshotDirectory
from exchange.jobs.read import ReadCertificates
from jobs import presence
from jobs.engine import perform_job
from jobs.models import Job
from jobs.sites import served_by
from mesh import applying, entries, verification
from mesh.intent import MeshIntent
from mesh.jobs.set_up import one_sided_entries
from mesh.plan import plan_mesh
from mesh.results import results_of
from peers.jobs.remove import RemovePeer
from peers.models import Peer
from services.jobs.control import ControlServices
from services.jobs.refresh import RefreshServices
from services.models import Service
from wire import Code, WireError

pytestmark = pytest.mark.django_db(transaction=True)

SITES = ["berlin", "munich"]
QUEUES = ["operate", *(f"site-{site}" for site in SITES)]


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(verification, "CHECK_EVERY", 0.5)


@pytest.fixture
def spread(clusters, settings):
    """One cluster at the centre, one at each of two sites."""
    settings.SITES = SITES
    for cluster, site in zip(clusters, ["berlin", "munich", ""], strict=True):
        cluster.site = site
        cluster.save(update_fields=["site"])
    return clusters


@pytest.fixture
def travel(work_at):
    """Work on a job wherever it goes; give the queues that had it."""

    def until_it_ends(job: Job, running=QUEUES) -> list[str]:
        route = []
        for _ in range(60):
            job.refresh_from_db()
            queue = served_by(job.queue)
            if not job.active or queue not in running:
                return route
            route.append(queue)
            others = [other for other in running if other != queue]
            with work_at(queue, others=others):
                perform_job(str(job.pk))
        raise AssertionError(f"still under way: {route}")

    return until_it_ends


def apply(intent: MeshIntent) -> Job:
    return applying.apply_plan(intent, plan_mesh(intent).hash, CONSOLE)


def on_clusters(lab) -> list[int]:
    return [len(cluster.peers()) for cluster in lab.clusters]


def test_a_mesh_of_three_sites_is_set_up(spread, lab, travel):
    job = apply(MeshIntent.whole_mesh(spread))
    route = travel(job)
    assert job.state == Job.State.SUCCEEDED, job.error
    assert on_clusters(lab) == [2, 2, 2]
    assert set(route) == set(QUEUES)
    assert len(route) < 20
    assert set(Peer.objects.values_list("outcome", flat=True)) == {"passed"}


def test_each_entry_is_written_by_a_worker_of_its_site(
    spread, lab, travel, monkeypatch
):
    wrote = {}
    write_entry = entries.provisioning.write_entry

    def write(step, peer, seen=None):
        wrote[peer.cluster.site] = presence.served_here()
        return write_entry(step, peer, seen)

    monkeypatch.setattr(entries.provisioning, "write_entry", write)
    job = apply(MeshIntent((tuple(spread[:2]),)))
    travel(job)
    assert job.state == Job.State.SUCCEEDED, job.error
    assert wrote == {"berlin": ["site-berlin"], "munich": ["site-munich"]}


def test_a_user_that_the_remote_site_refuses_is_found_before_anything_is_written(
    spread, lab, travel
):
    Cluster.objects.filter(pk=spread[1].pk).update(peering_username="nobody")
    spread[1].refresh_from_db()
    job = apply(MeshIntent((tuple(spread[:2]),)))
    travel(job)
    assert job.state == Job.State.FAILED
    assert [one.code for one in results_of(job)] == [Code.UNAUTHORIZED]
    assert "nobody" in job.error
    assert job.steps.filter(key__endswith="sign-in", state="failed").exists()
    assert on_clusters(lab) == [0, 0, 0]


def test_a_site_without_a_worker_leaves_the_other_pairs_alone(spread, lab, travel):
    job = apply(MeshIntent.whole_mesh(spread))
    travel(job, ["operate", "site-berlin"])
    assert job.state == Job.State.NEEDS_ATTENTION
    assert "site-munich" in job.error
    assert on_clusters(lab) == [1, 0, 1]


def test_the_first_side_is_undone_at_its_site(spread, lab, travel, monkeypatch):
    """The second side fails at another site than the first was written at."""
    write_entry = entries.provisioning.write_entry
    written = []

    def write(step, peer, seen=None):
        if written:
            raise WireError(Code.FAULT, "The table is full.")
        written.append(peer.cluster.site)
        return write_entry(step, peer, seen)

    monkeypatch.setattr(entries.provisioning, "write_entry", write)
    job = apply(MeshIntent((tuple(spread[:2]),)))
    route = travel(job)
    assert job.state == Job.State.ROLLED_BACK, job.error
    assert route[-1] == f"site-{written[0]}"
    assert on_clusters(lab) == [0, 0, 0]


def test_a_job_cancelled_between_two_sites_says_what_stands_alone(
    spread, lab, work_at, travel
):
    job = apply(MeshIntent((tuple(spread[:2]),)))
    for _ in range(20):
        job.refresh_from_db()
        if sum(on_clusters(lab)) == 1:
            break
        with work_at(served_by(job.queue), others=QUEUES):
            perform_job(str(job.pk))
    assert job.state == Job.State.QUEUED
    assert job.cancel()
    job.refresh_from_db()
    assert job.state == Job.State.NEEDS_ATTENTION
    (alone,) = one_sided_entries(job)
    assert str(Peer.objects.get(provisioning_state="applied")) in alone
    assert alone in job.error


def test_a_job_cancelled_on_its_way_is_not_handed_on_for_ever(spread, lab, travel):
    job = apply(MeshIntent((tuple(spread[:2]),)))
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    travel(job)
    assert job.state == Job.State.CANCELLED
    assert on_clusters(lab) == [0, 0, 0]


def test_both_sides_of_a_removal_are_done_at_their_sites(spread, lab, travel):
    travel(apply(MeshIntent((tuple(spread[:2]),))))
    job = RemovePeer.submit(list(Peer.objects.select_related("cluster")), CONSOLE)
    route = travel(job)
    assert job.state == Job.State.SUCCEEDED, job.error
    assert set(route) == {"site-berlin", "site-munich"}
    assert on_clusters(lab) == [0, 0, 0]


def test_services_are_read_and_controlled_at_their_sites(spread, lab, travel):
    nodes = [cluster.publisher for cluster in spread]
    for cluster in lab.clusters:
        cluster.publisher.service(cluster.release.sync_agent).set("Stopped")
    job = RefreshServices.submit(nodes, CONSOLE)
    assert set(travel(job)) == set(QUEUES)
    assert job.state == Job.State.SUCCEEDED
    agents = list(Service.objects.sync_agents().filter(node__in=nodes).with_node())
    job = ControlServices.submit("start", agents, CONSOLE)
    assert set(travel(job)) == set(QUEUES)
    assert job.state == Job.State.SUCCEEDED, job.error


@pytest.mark.parametrize("kind", [SnapshotDirectory, ReadCertificates])
def test_clusters_are_read_at_their_sites(spread, travel, kind):
    job = kind.submit(spread, CONSOLE)
    assert set(travel(job)) == set(QUEUES)
    keys = [str(cluster.pk) for cluster in spread]
    states = set(job.steps.filter(key__in=keys).values_list("state", flat=True))
    assert states == {"done"}


@pytest.mark.parametrize("kind", [SnapshotDirectory, ReadCertificates])
def test_a_cluster_that_nobody_reaches_is_skipped_by_a_reading(spread, travel, kind):
    job = kind.submit(spread, CONSOLE)
    travel(job, ["operate", "site-berlin"])
    assert job.state == Job.State.SUCCEEDED
    step = job.steps.get(key=str(spread[1].pk))
    assert step.state == "skipped" and "site-munich" in step.detail


def test_nodes_of_a_site_without_a_worker_are_skipped(spread, lab, travel):
    job = RefreshServices.submit([c.publisher for c in spread], CONSOLE)
    travel(job, ["operate", "site-berlin"])
    assert job.state == Job.State.SUCCEEDED
    states = sorted(job.steps.values_list("state", flat=True))
    assert states == ["done", "done", "skipped"]
