"""Each fault of the product's own pages: one problem with its cause and fix.

The pages are read without a browser, in the markup that needs no script.
"""

import pytest

from accounts.audit import CONSOLE
from clusters.models import Cluster
from diagnostics.models import TroubleshooterResult, TroubleshooterRun
from diagnostics.vendor_rows import UNREAD as UNREAD_ROW
from jobs.models import Job
from lab import Lab
from overview.live import Overview
from overview.models import Problem
from overview.renewal import renew_problems
from peers import lifecycle
from peers.models import Peer
from tests.conftest import register
from tests.diagnostics.conftest import carried, peer_on
from tests.diagnostics.test_troubleshoot import run_now
from tests.overview.catalogue import CLUSTER, OF_PAGES, PUBLISHER, RUN, SWEEP, written
from tests.overview.page_catalogue import (
    PANEL,
    READ,
    ROWS,
    UNREAD,
    UNWRITTEN,
    WRITTEN,
)
from tests.overview.test_every_fault import assert_only, hurry, problems, settled
from tests.waiting import eventually
from tests.workers import done

pytestmark = [pytest.mark.long, pytest.mark.django_db]


@pytest.fixture(scope="module")
def mesh_lab():
    options = {"users": (12, 8), "versions": ("14", "15"), "network": "auto"}
    options |= {"service_delay": 0.1, "agent_interval": 0.2, "agent_timeout": 1.0}
    with Lab(clusters=2, pages="classic", shared_key=True, **options) as lab:
        yield lab


@pytest.fixture(scope="module")
def mesh(module_db, mesh_lab):
    """Two clusters with a good peering, one of them provisioned by its pages."""
    described = mesh_lab.describe()["clusters"]
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch, mesh_lab)
        clusters = [register(one) for one in described]
        for cluster, there in zip(clusters, mesh_lab.clusters, strict=True):
            version = there.release.version
            Cluster.objects.filter(pk=cluster.pk).update(version=version)
        by_pages(clusters[1], mesh_lab.clusters[1])
        for n in (0, 1):
            remote = mesh_lab.clusters[1 - n].publisher.name
            peer_on(clusters[n], clusters[1 - n], mesh_lab, 1 - n, address=remote)
        assert eventually(lambda: carried(mesh_lab))
        assert settled(mesh_lab, SWEEP, RUN) == []
    return clusters


def by_pages(cluster, there):
    row = Cluster.objects.get(pk=cluster.pk)
    row.provisioning = Cluster.Provisioning.PAGES
    row.pages_username = there.pages.describe()["pages_username"]
    row.pages_port = there.publisher.pages_port
    row.seal("pages_password", there.pages.password)
    row.save()


@pytest.fixture
def there(mesh, mesh_lab, monkeypatch):
    """The second cluster of the lab; its faults end with the test."""
    hurry(monkeypatch, mesh_lab)
    monkeypatch.setattr("pages.visit.chromium_path", lambda: "")
    monkeypatch.setattr("clusters.page_visits.VISIT_DEADLINE", 4.0)
    for name, seconds in (("PAGES", 4.0), ("PAGES_OF_A_RUN", 8.0), ("TESTS", 2.0)):
        monkeypatch.setattr(f"diagnostics.page_reading.{name}", seconds)
    found = mesh_lab.clusters[1]
    yield found
    end_faults(mesh_lab)


def end_faults(lab):
    lab.clear_faults()
    pages = lab.clusters[1].pages
    pages.failures.clear()
    lab.clusters[1].publisher.site.sessions.open.clear()


def set_fault(there, one):
    there.set_fault(*(one.area, one.text) if hasattr(one, "text") else one)


def cause():
    return Cluster.objects.get(name=CLUSTER).pages_error_code


def test_every_fault_of_the_pages_has_an_expectation():
    assert {*UNREAD, *UNWRITTEN, *WRITTEN, *READ, *PANEL, *ROWS} == OF_PAGES


@pytest.mark.parametrize("one", UNREAD.values(), ids=str)
def test_pages_that_are_not_read_are_one_problem(there, mesh_lab, ada, one):
    set_fault(there, one)
    found = problems(SWEEP)
    code, severity = "pages_unread", "unknown"
    if one.is_refusal:
        code, severity = "pages_account_refused", "failed"
    assert cause() == one.cause
    assert_only(found, code, severity, PUBLISHER, one.fix, ada)
    end_faults(mesh_lab)
    assert settled(mesh_lab, SWEEP) == []
    assert Overview().all_clear


@pytest.mark.parametrize(("area", "value"), READ, ids=map("-".join, READ))
def test_pages_that_are_read_all_the_same_are_no_problem(there, area, value):
    set_fault(there, (area, written(area, value)))
    assert settled(there, SWEEP) == []
    assert (cause(), Overview().all_clear) == ("", True)
    assert entry("provisioned")["evidence"] == "pages"


def entry(code):
    peer = Peer.objects.get(cluster__name=CLUSTER)
    return next(one for one in peer.entries if one["code"] == code)


@pytest.fixture
def change(there, mesh_lab):
    """Have both entries changed, this cluster's through its pages; then back."""

    def save(name, protocol):
        peer = Peer.objects.get(cluster__name=name)
        peer.protocol = protocol
        return done(lifecycle.save_peer(peer, CONSOLE, fields=["protocol"]))

    def run(*fault):
        assert save("cup1", "TLS").state == "succeeded"
        there.set_fault(*fault)
        return save(CLUSTER, "TLS")

    yield run
    end_faults(mesh_lab)
    states = {save(name, "TCP").state for name in ("cup1", CLUSTER)}
    assert states == {"succeeded"}
    assert settled(mesh_lab, SWEEP) == []
    assert Overview().all_clear


@pytest.mark.parametrize("one", UNWRITTEN.values(), ids=str)
def test_a_change_that_is_not_made_is_one_problem(change, ada, one):
    job = change(one.area, one.text)
    assert (job.state in ("failed", "needs_attention"), job.error_code) == (
        True,
        one.cause,
    )
    found = problems(SWEEP)
    assert_only(found, "entry_failed", "failed", CLUSTER, one.fix, ada)
    assert "{" not in found[0].sentence
    # One sentence for what happened, one at least for why.
    assert len(found[0].sentence.split(". ")) > 1


@pytest.mark.parametrize(("area", "value"), WRITTEN, ids=map("-".join, WRITTEN))
def test_a_change_that_is_made_all_the_same_is_no_problem(change, area, value):
    assert change(area, written(area, value)).state == Job.State.SUCCEEDED
    assert settled(None, SWEEP) == []
    assert Overview().all_clear


def test_a_job_that_needs_action_is_no_problem_once_a_later_one_did_it(change):
    """The save was not stored, and the next one was."""
    assert change("page_peer", "ignored*1").state == "needs_attention"
    peer = Peer.objects.get(cluster__name=CLUSTER)
    assert done(lifecycle.provision_peer(peer, CONSOLE)).state == "succeeded"
    renew_problems()
    assert "job_attention" not in Problem.objects.values_list("code", flat=True)


@pytest.mark.parametrize(("area", "value"), PANEL, ids=map("-".join, PANEL))
def test_a_panel_that_shows_no_marks_is_not_good(there, area, value):
    set_fault(there, (area, written(area, value)))
    assert problems(SWEEP) == []
    shown = Peer.objects.get(cluster__name=CLUSTER).cluster_status["entries"]
    assert "passed" not in {one["outcome"] for one in shown}


@pytest.mark.parametrize(("area", "value"), ROWS, ids=map("-".join, ROWS))
def test_rows_that_the_clusters_troubleshooter_does_not_show(there, area, value):
    set_fault(there, (area, written(area, value)))
    # All tests: a run of some shows no rows of the cluster's own.
    run_now()
    run = TroubleshooterRun.objects.first()
    rows = run.results.filter(source=TroubleshooterResult.Source.CLUSTER)
    if value == "no-section":
        assert not rows.filter(section__contains="Inter-Clustering").exists()
        return
    assert {row.outcome for row in rows} == {"information"}
    if value in ("slow", "no-troubleshooter"):
        assert [row.description for row in rows] == [UNREAD_ROW]
    assert not {one.code for one in problems()} - {"test_response_time"}
