"""What is kept of runs, and of what was deleted while they were under way."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.users import limit_user
from clusters.models import Cluster, Node
from diagnostics.jobs import troubleshoot
from diagnostics.jobs.troubleshoot import Troubleshoot, store_results
from diagnostics.models import TroubleshooterResult, TroubleshooterRun, count_results
from diagnostics.summary import Extent, group_results
from jobs.models import Job
from jobs.run import Run
from tests.diagnostics.healthy import facts
from ui.names import shorten_host, shorten_name


@pytest.fixture
def pair(cluster_factory, peer_factory):
    return peer_factory(cluster_factory("home"), cluster_factory("remote"))


def result(run, code, outcome, **fields):
    known = {"position": 0, "section": "System Troubleshooter", "description": code}
    return TroubleshooterResult(run=run, code=code, outcome=outcome, **known | fields)


def finished_run(*codes, **options):
    run = Troubleshoot.submit(Cluster.objects.all(), **options)
    store_results(run, [result(run, code, "passed") for code in codes])
    Job.objects.filter(pk=run.job_id).update(state="succeeded")
    return run


def stored_runs():
    return set(TroubleshooterRun.objects.all())


def test_the_newest_run_over_everything_outlives_many_small_ones(pair, monkeypatch):
    monkeypatch.setattr("django.conf.settings.KEPT_RUNS", 2)
    finished_run("everything")
    whole = finished_run("everything")
    small = [finished_run("clock", tests=["clock"]) for _ in range(3)]
    assert stored_runs() == {whole, *small[1:]}


def test_a_run_that_waits_for_its_turn_is_not_forgotten(pair, monkeypatch):
    monkeypatch.setattr("django.conf.settings.KEPT_RUNS", 1)
    waiting, over = (Troubleshoot.submit(Cluster.objects.all()) for _ in range(2))
    over.job.cancel()
    newer = finished_run("clock")
    assert stored_runs() == {waiting, newer}


@pytest.mark.django_db(transaction=True)
def test_what_was_deleted_meanwhile_leaves_its_words(pair):
    run = Troubleshoot.submit(Cluster.objects.all())
    node = Node.objects.filter(cluster=pair.cluster).get()
    about = {"cluster": pair.cluster, "node": node, "peer": pair}
    found = result(run, "clock", "failed", node_name=node.name, **about)
    Node.objects.filter(pk=node.pk).delete()
    store_results(run, [found])
    row = run.results.get()
    assert (row.cluster, row.node, row.peer) == (pair.cluster, None, pair)
    assert row.node_name == node.name


def test_a_run_whose_tests_apply_to_nothing_collects_once(pair, monkeypatch):
    requested = []

    def collect(row, run):
        requested.append(row)
        return facts(clusters={}, peers={}, held={})

    monkeypatch.setattr(troubleshoot, "collect_run", collect)
    row = Troubleshoot.submit(
        Cluster.objects.all(), tests=["xcp_sip_federation_service"]
    )
    Troubleshoot(Run(Job.objects.claim(str(row.job.pk), "test"))).work()
    row.refresh_from_db()
    assert (len(requested), row.results.count()) == (1, 0)
    assert row.finished_at


def test_a_cluster_that_is_named_twice_is_looked_at_once(api, operator, pair):
    body = {"clusters": [str(pair.cluster_id)] * 2}
    answer = api(operator).post(reverse("api:troubleshooter-runs-list"), body)
    assert answer.status_code == 202
    run = TroubleshooterRun.objects.get()
    assert [one["name"] for one in run.clusters] == ["home"]
    assert not run.whole


def test_who_sees_a_part_is_told_of_outcomes_that_there_are_none_of(pair):
    run = finished_run()
    TroubleshooterResult.objects.bulk_create([result(run, "clock", "failed")])
    # The page shows the newest run, and lists it once more.
    twice = [TroubleshooterRun(pk=run.pk, finished_at=timezone.now()) for _ in "ab"]
    count_results(twice)
    counts = {"passed": 0, "failed": 1, "warning": 0, "information": 0}
    assert [one.visible_totals for one in twice] == [counts, counts]


def test_a_page_that_is_limited_shows_zeros(client_of, viewer, pair):
    run = finished_run()
    row = result(run, "clock", "failed", cluster=pair.cluster, cluster_name="home")
    TroubleshooterResult.objects.bulk_create([row])
    limit_user(viewer, [str(pair.cluster_id)])
    text = client_of(viewer).get(run.get_absolute_url()).content.decode()
    assert text.count('<span class="figure">0</span>') == 3


def test_of_very_many_rows_the_worst_are_read(pair):
    run = finished_run()
    outcomes = ["information"] * 3 + ["warning", "failed", "information"]
    TroubleshooterResult.objects.bulk_create(
        result(run, "clock", outcome, position=n) for n, outcome in enumerate(outcomes)
    )
    [group] = group_results(run, extent=Extent(read=3))
    [test] = group.tests.values()
    assert [(row.outcome, row.position) for row in test.rows] == [
        ("failed", 4),
        ("warning", 3),
        ("information", 0),
    ]


def test_of_what_passed_a_few_are_named_in_short(pair):
    run = finished_run()
    names = [f"EMEA-central-presence-{n}" for n in range(9)]
    TroubleshooterResult.objects.bulk_create(
        result(
            run,
            "sip",
            "passed",
            position=n,
            cluster_name=name,
            peer_address=f"pub.{name}.example.com",
        )
        for n, name in enumerate(names)
    )
    [group] = group_results(run)
    [test] = group.tests.values()
    assert (len(test.subjects), test.more_subjects) == (3, 6)
    short = shorten_name(names[0]), shorten_host(f"pub.{names[0]}", "")
    assert test.subjects[0] == " → ".join(short)


def test_of_rows_that_only_inform_a_few_are_listed(pair):
    run = finished_run()
    TroubleshooterResult.objects.bulk_create(
        result(run, "clock", outcome, position=n)
        for n, outcome in enumerate(["information"] * 9 + ["failed"] * 4)
    )
    [group] = group_results(run)
    [test] = group.tests.values()
    outcomes = [row.outcome for row in test.rows]
    assert outcomes == ["failed"] * 4 + ["information"] * 2
    assert test.hidden == 7
    [group] = group_results(run, outcome="information")
    [test] = group.tests.values()
    assert (len(test.rows), test.hidden) == (9, 0)
