"""The guide's whole procedure through the product's own pages, by one click."""

from collections import Counter
from contextlib import contextmanager

import pytest

from accounts.audit import CONSOLE
from clusters.models import Cluster
from diagnostics.models import TroubleshooterRun
from jobs.models import Job
from lab import Lab
from mesh import applying
from mesh.intent import MeshIntent, rotation_intent
from mesh.pairs import pairs_of
from mesh.plan import plan_mesh
from mesh.results import results_of
from pages.errors import PageCode
from peers.models import Peer, PeerOutcome
from tests.conftest import register
from tests.workers import done, expire_leases, killed_at
from wire import Secret

pytestmark = pytest.mark.django_db(transaction=True)

# Markups in which entries can be written without a script, over hidden tables.
MARKUPS = ("classic", "frames", "labels")
TABLES = ("key", "split", "empty")
SECTION = "Inter-Clustering Troubleshooter"
CONNECTION = "Verify the connection to the inter-cluster peer."
# Its clusters are of different releases, and a pair leaves the third one out.
OF_THE_LAB = ("versions", "mesh_complete")


SCRIPTED = "modern"


def running(clusters, pages=MARKUPS):
    return Lab(
        clusters=clusters,
        nodes=1,
        users=(4, 3, 2),
        generation=("imp", "cup8"),
        network="auto",
        pages=pages,
        forms=TABLES,
        service_delay=0.1,
        agent_interval=0.3,
        shared_key=True,
    )


@pytest.fixture(scope="module")
def lab():
    with running(3) as lab:
        yield lab


def registered(lab, settings):
    settings.DNS_SERVERS = [lab.describe()["dns"]]
    rows = []
    for simulated, reported in zip(
        lab.clusters, lab.describe()["clusters"], strict=True
    ):
        row = register(reported)
        row.provisioning = Cluster.Provisioning.PAGES
        row.version = simulated.release.version
        row.pages_username = reported["pages_username"]
        row.pages_port = reported["nodes"][0]["pages_port"]
        row.seal("pages_password", reported["pages_password"])
        row.save()
        rows.append(row)
    return rows


@pytest.fixture
def clusters(transactional_db, lab, settings):
    for simulated in lab.clusters:
        simulated.pages.saves.clear()
        simulated.pages.deletes.clear()
    return registered(lab, settings)


def apply(expected):
    return applying.apply_plan(expected, plan_mesh(expected).hash, CONSOLE)


def saves(lab):
    return sum((cluster.pages.saves for cluster in lab.clusters), Counter())


def all_check_marks(count):
    peers = list(Peer.objects.all())
    assert len(peers) == count
    for peer in peers:
        assert (peer.outcome, peer.evidence) == (PeerOutcome.PASSED, "pages"), (
            peer.entries
        )
        displayed = {one["label"]: one for one in peer.cluster_status["entries"]}
        marks = {one["outcome"] for one in displayed.values()}
        assert marks <= {"passed", "information"}, displayed
        assert "passed" in marks, (peer.cluster_status, peer.cluster)
        assert peer.cluster_status["associated_users"] == peer.associated_users


def the_vendors_own_tests_pass(clusters):
    """In the run with which the job ends, beside the console's and like them."""
    run = TroubleshooterRun.objects.get()
    assert done(run.job).state == Job.State.SUCCEEDED, run.job.error
    for cluster in clusters:
        rows = run.results.filter(source="cluster", cluster_id=cluster.pk)
        shown = {row.description: row.outcome for row in rows.filter(section=SECTION)}
        for peer in cluster.peers.all():
            assert shown.pop(f"{CONNECTION} {peer.address}") == "passed"
        assert len(shown) >= 3
        assert set(shown.values()) == {"passed"}
        compared = [
            row.details["compared"] for row in rows if "compared" in row.details
        ]
        assert compared
        assert not [one for one in compared if one["differs"]]
    ours = run.results.filter(source="console", section=SECTION)
    bad = ours.exclude(outcome__in=("passed", "information")).exclude(
        code__in=OF_THE_LAB
    )
    assert [row.code for row in bad] == []


@pytest.mark.parametrize("pair", [(0, 1), (1, 2), (2, 0)])
def test_one_click_ends_with_all_check_marks_ours_and_the_vendors(lab, clusters, pair):
    chosen = tuple(clusters[one] for one in pair)
    job = done(apply(MeshIntent((chosen,))))
    assert job.state == Job.State.SUCCEEDED, job.error
    all_check_marks(2)
    the_vendors_own_tests_pass(chosen)
    assert set(saves(lab).values()) == {1}


@contextmanager
def scripted(settings):
    with running(2, pages=(SCRIPTED, "classic")) as lab:
        yield lab, registered(lab, settings)


@pytest.mark.servers
@pytest.mark.browser
@pytest.mark.usefixtures("chromium")
def test_one_click_where_pages_need_a_script(settings):
    with scripted(settings) as (lab, clusters):
        job = done(apply(MeshIntent((tuple(clusters),))))
        assert job.state == Job.State.SUCCEEDED, job.error
        all_check_marks(2)
        the_vendors_own_tests_pass(clusters)
        assert sorted(saves(lab).values()) == [1, 1]


def test_without_chromium_the_pair_is_undone_and_the_rest_is_done(
    settings, monkeypatch
):
    monkeypatch.setattr("pages.visit.chromium_path", lambda: "")
    with scripted(settings) as (lab, clusters):
        job = done(apply(MeshIntent((tuple(clusters),))))
        assert job.state in (Job.State.ROLLED_BACK, Job.State.FAILED)
        assert {one.code for one in results_of(job)} == {PageCode.SCRIPT}
        assert [cluster.peers() for cluster in lab.clusters] == [[], []]
        run = TroubleshooterRun.objects.get()
        assert done(run.job).state == Job.State.SUCCEEDED
        told = run.results.filter(source="cluster", section=SECTION)
        assert {row.cluster_id for row in told} == {one.pk for one in clusters}


@pytest.mark.long
def test_a_mesh_of_six_is_set_up_by_one_click(settings):
    with running(6) as lab:
        clusters = registered(lab, settings)
        job = done(apply(MeshIntent.whole_mesh(clusters)))
        assert job.state == Job.State.SUCCEEDED, job.error
        all_check_marks(30)
        the_vendors_own_tests_pass(clusters)
        assert sum(saves(lab).values()) == 30
        for simulated in lab.clusters:
            counts = simulated.pages
            assert set(counts.saves.values()) == {1}
            assert counts.sign_ins == counts.sign_outs
            assert (counts.overlaps, counts.refusals) == (0, {})


@pytest.mark.servers
@pytest.mark.parametrize(
    "place",
    [
        "mesh:before-agents",
        "mesh:before-entries",
        "mesh:before-accept",
        "mesh:accepted",
        "provision:before-write",
        "provision:before-save",
        "provision:after-write",
        "mesh:between-entries",
        "mesh:before-verify",
    ],
)
def test_a_killed_worker_saves_no_entry_twice(lab, clusters, place):
    agent = lab.clusters[0].release.sync_agent
    if place == "mesh:before-agents":
        lab.clusters[0].publisher.service(agent).set("Stopped")
    job = apply(MeshIntent((tuple(clusters[:2]),)))
    killed_at(job, place)
    expire_leases()
    assert done(job).state == Job.State.SUCCEEDED, job.error
    assert sorted(saves(lab).values()) == [1, 1]
    all_check_marks(2)


@pytest.mark.servers
def test_a_killed_worker_changes_a_password_by_pages_once(lab, clusters):
    home, remote = clusters[:2]
    remote.peering_username = lab.clusters[1].intercluster_username
    remote.seal("peering_password", lab.clusters[1].intercluster_password)
    remote.save()
    assert done(apply(MeshIntent(((home, remote),)))).state == Job.State.SUCCEEDED
    password = lab.clusters[1].intercluster_password
    lab.clusters[1].set_password(remote.peering_username, "n3w")
    try:
        intent = rotation_intent(remote, Secret("n3w"))
        job = applying.apply_plan(intent, plan_mesh(intent).hash, CONSOLE)
        killed_at(job, "mesh:before-password")
        expire_leases()
        assert done(job).state == Job.State.SUCCEEDED, job.error
        assert [one.password for one in lab.clusters[0].peers()] == ["n3w"]
    finally:
        lab.clusters[1].set_password(remote.peering_username, password)
    # Both entries were made once; only the one that signs in there was saved again.
    assert [sum(one.pages.saves.values()) for one in lab.clusters] == [2, 1, 0]
    # The cluster's own marks follow when its agent has signed in with the new one.
    known = {(peer.outcome, peer.evidence) for peer in Peer.objects.all()}
    assert known == {(PeerOutcome.PASSED, "pages")}


@pytest.mark.servers
@pytest.mark.parametrize(
    "place", ["mesh:before-undo", "remove:before-write", "remove:after-write"]
)
def test_a_killed_worker_undoes_a_pair_whose_second_entry_is_refused(
    lab, clusters, place
):
    job = apply(MeshIntent((tuple(clusters[:2]),)))
    second = job.planned_entries.get(peer=pairs_of(job)[0].peers[-1]).home
    lab.clusters[clusters.index(second)].set_fault("page_peer", "error")
    killed_at(job, place)
    expire_leases()
    assert done(job).state == Job.State.ROLLED_BACK, job.error
    assert [cluster.peers() for cluster in lab.clusters] == [[], [], []]
    assert sorted(saves(lab).values()) == [1]
    assert sum(sum(one.pages.deletes.values()) for one in lab.clusters) == 1
