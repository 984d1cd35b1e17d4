"""Rows of the clusters' own System Troubleshooter, beside the console's."""

import pytest

from accounts.audit import CONSOLE
from clusters.models import Cluster
from diagnostics import page_reading
from diagnostics.jobs.troubleshoot import Troubleshoot
from diagnostics.judge.tests import ordered_tests
from diagnostics.models import TroubleshooterResult
from tests.diagnostics.test_by_pages import peer, site  # noqa: F401
from tests.workers import done

pytestmark = pytest.mark.django_db(transaction=True)

PASSED, FAILED, ODD = "/img/g.gif", "/img/r.gif", "/img/new.gif"


def ours(code):
    return next(test.description for test in ordered_tests() if test.code == code)


def rows_of_run():
    run = Troubleshoot.submit(Cluster.objects.all(), CONSOLE)
    job = done(run.job)
    assert job.state == "succeeded", job.error
    return list(run.results.order_by("position"))


def vendor(rows):
    return [row for row in rows if row.source == "cluster"]


@pytest.fixture
def tests(site, peer):  # noqa: F811
    site.tests = [
        (ours("peers_exist"), FAILED, "None"),
        ("Verify something else.", PASSED, ""),
        ("Verify the rest.", ODD, ""),
    ]
    return site


def test_rows_of_the_cluster_stand_in_their_section(tests):
    rows = rows_of_run()
    found = vendor(rows)
    assert [(one.description, one.outcome) for one in found] == [
        (ours("peers_exist"), "failed"),
        ("Verify something else.", "passed"),
        ("Verify the rest.", "information"),
    ]
    assert {one.section for one in found} == {"Inter-Clustering Troubleshooter"}
    sections = [row.section for row in rows]
    assert sections.index("Sync Agent Troubleshooter") > rows.index(found[-1])
    assert tests.sign_ins == tests.sign_outs == 1


def test_a_row_that_differs_from_the_consoles_is_marked_on_both(tests):
    rows = rows_of_run()
    (theirs,) = [one for one in vendor(rows) if one.compared]
    (mine,) = [one for one in rows if one.code == "peers_exist"]
    assert (mine.outcome, theirs.outcome) == ("passed", "failed")
    assert theirs.compared["differs"]
    assert mine.details["cluster_says"] == "failed"


def test_an_answer_of_rest_says_where_each_row_comes_from(tests, administrator, api):
    rows_of_run()
    run = TroubleshooterResult.objects.first().run
    answer = api(administrator).get(f"/api/v1/troubleshooter-runs/{run.pk}/").json()
    rows = [row for section in answer["sections"] for row in section["tests"]]
    reported = {row["source"]: row["code"] for row in rows}
    assert set(reported) == {"console", "cluster"}
    theirs = [row for row in rows if row["source"] == "cluster"]
    assert {row["code"] for row in theirs} == {"vendor"}
    assert {row["cluster_name"] for row in theirs} == {"home"}
    assert ["compared" in row["details"] for row in theirs] == [True, False, False]
    names = [section["name"] for section in answer["sections"]]
    assert len(names) == len(set(names))


def test_a_page_that_cannot_be_read_costs_only_its_own_rows(tests, monkeypatch):
    monkeypatch.setattr(page_reading, "TESTS", 0.5)
    tests.faults = {"slow tests"}
    rows = rows_of_run()
    (theirs,) = vendor(rows)
    assert theirs.outcome == "information"
    assert theirs.problem
    assert any(row.code == "peers_exist" and row.outcome == "passed" for row in rows)
