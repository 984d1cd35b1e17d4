from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest

from clusters.models import Cluster
from diagnostics.jobs.check import CheckPeers
from diagnostics.jobs.sweep import Sweep
from diagnostics.metrics import register_metrics
from diagnostics.models import (
    PeerCheck,
    TroubleshooterResult,
    TroubleshooterRun,
)
from diagnostics.tasks import sweep_when_due
from jobs.models import Job
from jobs.run import Run
from peers.models import Peer
from peers.signals import peer_applied
from tests.diagnostics.conftest import AGENT

MINUTES = timedelta(minutes=5)


def work_on(job):
    return Run(Job.objects.claim(str(job.pk), "test"))


def test_a_sweep_checks_every_peer_on_both_sides(peering):
    Sweep(work_on(Sweep.submit())).work()
    assert set(Peer.objects.values_list("outcome", flat=True)) == {"passed"}


def test_a_sweep_that_was_cut_after_its_clusters_starts_over(peering):
    job = Sweep.submit()
    job.steps.filter(key="clusters").update(state="done")
    Sweep(work_on(job)).work()
    assert set(Peer.objects.values_list("outcome", flat=True)) == {"passed"}


def test_one_sweep_at_a_time(cluster_factory):
    assert Sweep.submit() is not None
    assert Sweep.submit_when_free() is None


def test_a_sweep_is_due_after_its_interval_only(cluster_factory):
    cluster_factory()
    assert Sweep.due(MINUTES)
    Sweep.submit()
    assert not Sweep.due(MINUTES)
    Job.objects.update(created_at=timezone.now() - 2 * MINUTES)
    assert Sweep.due(MINUTES)


def test_no_interval_or_no_clusters_no_sweeps(db, settings, cluster_factory):
    assert not Sweep.due(MINUTES)
    cluster_factory()
    settings.SWEEP_INTERVAL = 0
    sweep_when_due()
    assert not Job.objects.exists()


def test_a_run_is_scheduled_once_a_new_mesh_has_settled(cluster_factory, settings):
    settings.SWEEP_INTERVAL = 0
    cluster_factory()
    sweep_when_due()
    assert not TroubleshooterRun.objects.exists()
    Cluster.objects.update(created_at=timezone.now() - 4 * MINUTES)
    sweep_when_due()
    sweep_when_due()
    assert TroubleshooterRun.objects.get().reason == "scheduled"


def test_a_provisioned_peer_is_checked_until_it_is_verified(peering, mesh_lab):
    peer_applied.send(Peer, peer=peering[0])
    job = Job.objects.get(kind="check-peers")
    assert job.arguments["until_verified"] > 0
    CheckPeers(work_on(job)).work()
    peering[0].refresh_from_db()
    assert peering[0].outcome == "passed"


def test_a_repeated_check_ends_when_its_time_is_over(peering, mesh_lab):
    mesh_lab.clusters[0].nodes[1].service(AGENT).set("Stopped")
    peer_applied.send(Peer, peer=peering[0])
    job = Job.objects.get(kind="check-peers")
    job.arguments["until_verified"] = 0.1
    job.save()
    CheckPeers(work_on(job)).work()
    assert job.steps.get().detail == "1 failed"


def test_history_is_kept_for_so_many_checks(cluster_factory, peer_factory):
    peer = peer_factory(cluster_factory(), cluster_factory())
    PeerCheck.objects.bulk_create(
        PeerCheck(peer=peer, at=timezone.now(), outcome="passed")
        for _ in range(settings.KEPT_CHECKS + 7)
    )
    PeerCheck.prune([peer.pk])
    assert peer.checks.count() == settings.KEPT_CHECKS


def metrics():
    registry = CollectorRegistry()
    register_metrics(registry)
    return generate_latest(registry).decode()


def test_metrics_have_no_sample_for_what_is_not_known(cluster_factory, peer_factory):
    peer_factory(cluster_factory("a"), cluster_factory("b"))
    assert "cupadmin_peer_associated_users{" not in metrics()
    Peer.objects.update(associated_users=7)
    labels = 'cluster="a",remote="b"'
    assert f"cupadmin_peer_associated_users{{{labels}}} 7" in metrics()


def test_metrics_of_a_run_are_bounded(cluster_factory, monkeypatch):
    monkeypatch.setattr("diagnostics.metrics.MOST_WRONG", 3)
    cluster = cluster_factory("a")
    run = TroubleshooterRun.objects.create(finished_at=timezone.now())
    TroubleshooterResult.objects.bulk_create(
        TroubleshooterResult(
            run=run,
            position=n,
            code=f"test{n % 2}",
            outcome="failed",
            cluster=cluster,
            cluster_name="a",
            node_name="a1",
        )
        for n in range(50)
    )
    lines = [one for one in metrics().splitlines() if "troubleshooter" in one]
    assert 'cupadmin_troubleshooter_tests{outcome="failed",test="test0"} 25.0' in lines
    named = 'cluster="a",node="a1",outcome="failed"'
    assert f"cupadmin_troubleshooter_node_tests{{{named}}} 50.0" in lines
    wrong = [one for one in lines if one.startswith("cupadmin_troubleshooter_wrong")]
    assert sum(float(one.rpartition(" ")[2]) for one in wrong) == 3


def test_metrics_are_of_the_newest_run_over_everything(cluster_factory):
    cluster_factory("a"), cluster_factory("b")
    for whole, code in ((True, "all"), (False, "some")):
        run = TroubleshooterRun.objects.create(finished_at=timezone.now(), whole=whole)
        TroubleshooterResult.objects.create(run=run, position=0, code=code)
    assert 'test="all"' in metrics()
    assert 'test="some"' not in metrics()


def test_metric_labels_are_escaped(cluster_factory):
    cluster_factory('a"b\\c')
    assert 'cluster="a\\"b\\\\c"' in metrics()


@pytest.mark.django_db(transaction=True)
def test_the_command_exits_with_2_when_something_failed(cluster_factory):
    cluster_factory("dark")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("troubleshoot", stdout=out)
    assert ended.value.code == 2
    assert "FAILED" in out.getvalue()


def test_the_command_refuses_a_cluster_that_is_not(cluster_factory):
    with pytest.raises(CommandError, match=r" x\.$") as refused:
        call_command("troubleshoot", "--cluster", "x")
    assert refused.value.returncode == 2
