import re
from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster
from diagnostics.jobs.check import CheckPeers
from diagnostics.jobs.troubleshoot import Troubleshoot, store_results
from diagnostics.models import TroubleshooterResult, TroubleshooterRun
from jobs.models import Job
from ui.templatetags.ui import moment

HTMX = {"HX-Request": "true"}


@pytest.fixture
def pair(cluster_factory, peer_factory):
    home, remote = cluster_factory("home"), cluster_factory("remote")
    return peer_factory(home, remote)


def text(answer):
    return answer.content.decode()


def result(run, code, outcome, **fields):
    known = {
        "section": "System Troubleshooter",
        "description": f"Verify {code}.",
        "cluster_name": "home",
        "problem": "" if outcome == "passed" else f"{code} is wrong.",
    }
    return TroubleshooterResult(
        run=run, position=0, code=code, outcome=outcome, **(known | fields)
    )


def finished_run(*results):
    run = Troubleshoot.submit(Cluster.objects.all())
    run.started_at = timezone.now()
    run.save()
    store_results(run, [result(run, code, outcome) for code, outcome in results])
    Job.objects.filter(pk=run.job_id).update(state="succeeded")
    return TroubleshooterRun.objects.get(pk=run.pk)


def test_the_page_says_what_to_do_before_the_first_run(
    client_of, operator, cluster_factory
):
    client, url = client_of(operator), reverse("diagnostics:troubleshooter")
    assert 'class="table-empty"' in client.get(url).content.decode()
    cluster_factory()
    assert "No run yet" in client.get(url).content.decode()


def test_each_entry_shows_by_what_and_when_it_is_known(client_of, viewer, pair):
    at = timezone.now() - timedelta(minutes=5)
    reported = {"label": "Known.", "outcome": "passed", "evidence": "users"}
    pair.entries = [reported | {"code": "a", "seen_at": at.isoformat()}]
    pair.entries += [reported | {"code": "b", "evidence": "none", "seen_at": ""}]
    pair.checked_at = timezone.now()
    pair.save()
    page = client_of(viewer).get(reverse("diagnostics:peer_status", args=[pair.pk]))
    times = re.findall(r'synchronized users, <time[^>]* datetime="([^"]+)"', text(page))
    assert [datetime.fromisoformat(one) for one in times] == [at]
    assert "5 minutes ago</time>" in text(page)


@pytest.mark.parametrize("stored", ["", None, "soon", "2026-01-01T00:00:00", 7])
def test_what_is_no_time_is_shown_as_none(stored):
    assert moment(stored) is None


def test_the_failed_stand_before_the_passed(client_of, viewer, pair):
    finished_run(("good", "passed"), ("bad", "failed"))
    page = client_of(viewer).get(reverse("diagnostics:troubleshooter"))
    text = page.content.decode()
    assert text.index("Verify bad.") < text.index("Verify good.")


def test_a_small_run_does_not_hide_the_newest_over_everything(client_of, viewer, pair):
    finished_run(("everything", "passed"))
    small = Troubleshoot.submit(
        Cluster.objects.all(), tests=["clock"], reason="After start"
    )
    store_results(small, [result(small, "clock", "passed")])
    page = client_of(viewer).get(reverse("diagnostics:troubleshooter"))
    text = page.content.decode()
    assert "Verify everything." in text
    assert "After start" in text
    one = client_of(viewer).get(small.get_absolute_url()).content.decode()
    assert "only 1 test" in one


def test_an_outcome_can_be_chosen(client_of, viewer, pair):
    finished_run(("good", "passed"), ("bad", "failed"))
    url = reverse("diagnostics:troubleshooter") + "?outcome=failed"
    text = client_of(viewer).get(url).content.decode()
    assert "Verify bad." in text
    assert "Verify good." not in text


def test_results_can_be_grouped_by_cluster(client_of, viewer, pair):
    finished_run(("bad", "failed"))
    url = reverse("diagnostics:troubleshooter") + "?group=cluster"
    text = client_of(viewer).get(url).content.decode()
    assert "<h2>home</h2>" in text


def test_details_of_a_cluster_lead_to_rows_of_this_cluster(client_of, viewer, pair):
    run = finished_run(("good", "passed"))
    url = f"{run.get_absolute_url()}?group=cluster"
    text = client_of(viewer).get(url).content.decode()
    assert "?code=good&amp;outcome=passed&amp;cluster_name=home" in text


def test_a_page_of_five_thousand_results_lists_the_first_of_each(
    client_of, viewer, pair, django_assert_max_num_queries
):
    run = finished_run()
    rows = [result(run, f"test{n % 50}", "failed") for n in range(5000)]
    TroubleshooterResult.objects.bulk_create(rows)
    client = client_of(viewer)
    with django_assert_max_num_queries(20):
        page = client.get(run.get_absolute_url())
    assert "95 more" in page.content.decode()


def test_the_groups_after_the_first_screens_come_when_they_are_asked_for(
    client_of, viewer, pair
):
    run = finished_run()
    TroubleshooterResult.objects.bulk_create(
        result(run, f"test{n}", "failed", cluster_name=f"cup{c}")
        for c in range(30)
        for n in range(20)
    )
    client, url = client_of(viewer), f"{run.get_absolute_url()}?group=cluster"
    text = client.get(url).content.decode()
    assert f'<a href="{url}&amp;of=cup9">' in text
    assert text.count("Verify test7.") < 15
    later = client.get(f"{url}&of=cup9").content.decode()
    assert "Verify test7." in later
    assert 'hx-trigger="revealed"' not in later


def test_a_row_tells_what_was_asked_and_answered(client_of, viewer, pair):
    run = finished_run()
    answer = {
        "asked": "DNS, PTR",
        "answer": "cup1.example.com",
        "at": "2026-01-02T03:04:05+00:00",
        "duration_ms": 12.0,
    }
    row = result(run, "dns_reverse", "failed", details={"answers": [answer]})
    TroubleshooterResult.objects.bulk_create([row])
    text = client_of(viewer).get(run.get_absolute_url()).content.decode()
    for part in ("DNS, PTR, from the console", "cup1.example.com", "took 12 ms"):
        assert part in text


def test_the_report_has_who_when_totals_peers_and_every_test(client_of, viewer, pair):
    run = finished_run(("good", "passed"), ("bad", "failed"))
    counts = {"associated_users": 7, "remote_users": 8}
    where = {"home": "home", "remote": "remote", "address": "x", "protocol": "TCP"}
    unknown = {"associated_users": None, "remote_users": None}
    run.peers = [where | counts, where | unknown]
    run.save()
    url = reverse("diagnostics:report", args=[run.pk])
    text = client_of(viewer).get(url).content.decode()
    for part in ("cupadmin", "home, remote", "Verify good.", "Verify bad.", "unknown"):
        assert part in text


def test_the_report_begins_with_what_is_wrong(client_of, viewer, pair):
    run = finished_run(("good", "passed"), ("bad", "failed"), ("odd", "information"))
    answer = client_of(viewer).get(reverse("diagnostics:report", args=[run.pk]))
    ((outcome, rows, count),) = answer.context["summary"]
    assert (outcome, [row.code for row in rows], count) == ("failed", ["bad"], 1)
    text = answer.content.decode()
    assert text.index("Summary") < text.index("Verify bad.") < text.index("Totals")


def test_a_viewer_is_shown_the_way_and_not_told_to_fix(
    client_of, viewer, operator, pair
):
    run = finished_run(("bad", "failed"))
    run.results.update(fix_url=reverse("clusters:clusters"), solution="See there.")
    assert ">Show</a>" in client_of(viewer).get(run.get_absolute_url()).content.decode()
    text = client_of(operator).get(run.get_absolute_url()).content.decode()
    assert ">Fix</a>" in text


def test_a_run_without_results_has_no_report(client_of, viewer, pair):
    run = Troubleshoot.submit(Cluster.objects.all())
    url = reverse("diagnostics:report", args=[run.pk])
    assert client_of(viewer).get(url).status_code == 404


def test_a_running_run_can_be_cancelled_by_an_operator(
    client_of, operator, viewer, pair
):
    run = Troubleshoot.submit(Cluster.objects.all())
    cancel = reverse("jobs:cancel", args=[run.job_id])
    text = client_of(operator).get(run.get_absolute_url()).content.decode()
    assert cancel in text
    assert cancel not in client_of(viewer).get(run.get_absolute_url()).content.decode()


def test_the_oldest_runs_go_when_all_are_large(pair, monkeypatch):
    monkeypatch.setattr("diagnostics.jobs.troubleshoot.MOST_ROWS", 3)
    runs = [finished_run(("a", "passed"), ("b", "passed")) for _ in range(3)]
    assert list(TroubleshooterRun.objects.all()) == [runs[-1]]


def test_an_operator_starts_a_run_and_is_led_to_it(client_of, operator, pair):
    answer = client_of(operator).post(reverse("diagnostics:troubleshooter"))
    run = TroubleshooterRun.objects.get()
    assert answer.url == run.get_absolute_url()
    assert len(run.clusters) == 2


def test_some_clusters_can_be_chosen(client_of, operator, pair):
    client_of(operator).post(
        reverse("diagnostics:troubleshooter"), {"cluster": str(pair.cluster_id)}
    )
    assert [c["name"] for c in TroubleshooterRun.objects.get().clusters] == ["home"]


def test_a_viewer_cannot_start_a_run(client_of, viewer, pair):
    answer = client_of(viewer).post(reverse("diagnostics:troubleshooter"))
    assert answer.status_code == 403


def test_a_run_that_lasts_is_polled_until_it_ends(client_of, viewer, pair):
    run = Troubleshoot.submit(Cluster.objects.all())
    client = client_of(viewer)
    assert client.get(run.get_absolute_url(), headers=HTMX).status_code == 200
    run.job.cancel()
    assert client.get(run.get_absolute_url(), headers=HTMX).status_code == 286
    polled = client.get(f"{run.get_absolute_url()}?polling=1", headers=HTMX)
    assert polled.headers["HX-Refresh"] == "true"


def test_csv_disarms_formulas(client_of, viewer, pair):
    run = finished_run()
    TroubleshooterResult.objects.bulk_create(
        [result(run, "x", "failed", peer_address="=cmd()")]
    )
    answer = client_of(viewer).get(reverse("diagnostics:run_csv", args=[run.pk]))
    assert ""","'=cmd()",""" in b"".join(answer.streaming_content).decode()


def test_a_comparison_tells_what_broke_and_what_was_mended(client_of, viewer, pair):
    finished_run(("old", "failed"), ("same", "failed"), ("new", "passed"))
    later = finished_run(("new", "failed"), ("same", "failed"), ("old", "passed"))
    url = reverse("diagnostics:comparison", args=[later.pk])
    found = client_of(viewer).get(url).context["comparison"]
    names = [[row.code for row in rows] for _, rows in found.tables]
    assert names == [["new"], [], ["old"], [], ["same"]]


def test_what_a_run_did_not_test_was_neither_mended_nor_broken(client_of, viewer, pair):
    finished_run(("old", "failed"), ("doubtful", "failed"))
    later = finished_run(("new", "failed"), ("doubtful", "information"))
    url = reverse("diagnostics:comparison", args=[later.pk])
    found = client_of(viewer).get(url).context["comparison"]
    names = [[row.code for row in rows] for _, rows in found.tables]
    assert names == [[], ["new"], [], ["old", "doubtful"], []]


def test_the_first_run_has_nothing_to_be_compared_with(client_of, viewer, pair):
    run = finished_run(("bad", "failed"))
    page = client_of(viewer).get(reverse("diagnostics:comparison", args=[run.pk]))
    assert "No earlier run" in page.content.decode()


def test_a_status_without_check_says_so(client_of, viewer, pair):
    url = reverse("diagnostics:peer_status", args=[pair.pk])
    assert "Not checked yet" in client_of(viewer).get(url).content.decode()


def test_check_now_starts_one_check_only(client_of, operator, pair):
    client = client_of(operator)
    url = reverse("diagnostics:check_peer", args=[pair.pk])
    first = client.post(url, headers=HTMX).content.decode()
    client.post(url, headers=HTMX)
    assert "every 2s" in first
    assert Job.objects.filter(kind="check-peers").count() == 1


def test_polling_of_a_status_ends_with_the_check(client_of, viewer, pair):
    url = reverse("diagnostics:peer_status", args=[pair.pk]) + "?polling=1"
    assert client_of(viewer).get(url, headers=HTMX).status_code == 286


def test_a_viewer_cannot_check(client_of, viewer, pair):
    url = reverse("diagnostics:check_peer", args=[pair.pk])
    assert client_of(viewer).post(url).status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?show=failed", ["bad"]),
        ("?show=good", ["good"]),
        ("?show=running", []),
        ("?cluster=nonsense", ["bad", "good"]),
    ],
)
def test_runs_are_filtered_by_what_they_found(client_of, viewer, pair, query, found):
    for name, outcome in (("good", "passed"), ("bad", "failed")):
        finished_run((name, outcome))
    page = client_of(viewer).get(reverse("diagnostics:runs") + query).context
    codes = [run.results.get().code for run in page["page_obj"]]
    assert codes == found


@pytest.mark.parametrize(
    ("state", "started", "disabled"),
    [("queued", False, True), ("running", True, True), ("queued", True, False)],
)
def test_a_check_that_comes_again_later_does_not_keep_from_checking_now(
    client_of, operator, pair, state, started, disabled
):
    job = CheckPeers.submit([pair], until_verified=90)
    started_at = timezone.now() if started else None
    Job.objects.filter(pk=job.pk).update(state=state, started_at=started_at)
    url = reverse("diagnostics:peer_status", args=[pair.pk])
    page = client_of(operator).get(url).content.decode()
    button = re.search(r"<button[^>]*>(?=.*Check now)", page)
    assert ("disabled" in button[0]) is disabled
