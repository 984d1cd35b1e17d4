from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from accounts.cluster_limits import Limit, limited_to
from accounts.models import AuditEntry
from clusters.models import Cluster
from jobs.models import Job
from notifications.models import Maintenance
from overview.live import Overview
from overview.models import Problem
from overview.renewal import renew_problems
from peers.models import Peer
from services.models import Service
from tests.elements import elements, levels, texts

ALL_CLEAR = "//*[@id='attention-title']/../../p/*[@class='outcome passed']"


@pytest.fixture
def problem(pair, only):
    pair.set(pair.there, ("sip", "warning"), outcome="warning")
    return only()


def test_nothing_needs_attention_only_when_every_figure_is_good(
    pair, viewer, client_of
):
    client = client_of(viewer)
    assert elements(client.get("/"), ALL_CLEAR)
    Service.objects.all().delete()
    renew_problems()
    assert not elements(client.get("/"), ALL_CLEAR)


def test_acknowledged_problem_leaves_no_all_clear(problem, operator, client_of):
    client = client_of(operator)
    url = reverse("overview:acknowledge", args=[problem.pk])
    client.post(url, {"note": "We know."})
    page = client.get("/")
    acknowledged = f"{reverse('overview:problems')}?state=acknowledged"
    [link] = texts(page, f"//a[@href='{acknowledged}']")
    assert link.startswith("1 ") and not elements(page, ALL_CLEAR)
    problem.refresh_from_db()
    assert (problem.note, problem.acknowledged_name) == ("We know.", "otto")
    entry = AuditEntry.objects.get(action="acknowledge problem")
    assert entry.changes["note"] == ["", "We know."]


def test_snoozed_problem_is_open_again_after_its_time(
    problem, problems, operator, client_of
):
    client = client_of(operator)
    client.post(reverse("overview:snooze", args=[problem.pk]), {"hours": "4"})
    problem.refresh_from_db()
    assert problem.snoozed_until > timezone.now() + timedelta(hours=3)
    Problem.objects.update(snoozed_until=timezone.now())
    assert [one.acknowledged for one in problems()] == [None]
    assert AuditEntry.objects.filter(action="reopen problem").exists()


def test_snooze_without_a_time_is_refused_with_a_sentence(problem, operator, client_of):
    url = reverse("overview:snooze", args=[problem.pk])
    page = client_of(operator).post(url, {"hours": "x"}, follow=True)
    assert levels(page) == ["error"]
    assert Problem.objects.get().acknowledged is None


def test_reopened_problem_is_open(problem, operator, client_of):
    client = client_of(operator)
    client.post(reverse("overview:acknowledge", args=[problem.pk]))
    client.post(reverse("overview:reopen", args=[problem.pk]))
    assert Problem.objects.get().acknowledged is None


def test_problem_that_became_worse_is_open_again(
    problem, pair, problems, operator, client_of
):
    client_of(operator).post(reverse("overview:acknowledge", args=[problem.pk]))
    pair.set(pair.there, ("sip", "failed"))
    assert [one.acknowledged for one in problems()] == [None]


def test_problem_keeps_its_id_and_one_that_comes_back_is_new(problem, pair, problems):
    assert [one.pk for one in problems()] == [problem.pk]
    Peer.objects.update(outcome="passed", entries=[])
    assert problems() == []
    pair.set(pair.there, ("sip", "warning"), outcome="warning")
    assert [one.pk for one in problems()] != [problem.pk]


def test_viewer_is_shown_no_form_and_no_page_that_is_closed(
    problem, pair, viewer, client_of
):
    pair.node(contact_code="unauthorized")
    renew_problems()
    page = client_of(viewer).get(reverse("overview:problems")).content.decode()
    refused = Problem.objects.get(code="credentials_refused")
    assert escape(refused.sentence) in page
    assert reverse("overview:acknowledge", args=[refused.pk]) not in page
    assert reverse("clusters:edit_cluster", args=[pair.remote.pk]) not in page


def test_back_leads_to_no_other_site(problem, operator, client_of):
    url = reverse("overview:reopen", args=[problem.pk])
    answer = client_of(operator).post(url, {"next": "//evil.example/"})
    assert answer.url == reverse("overview:problems")


@pytest.fixture
def many(cluster_factory):
    for number in range(63):
        cluster_factory(f"c{number:02}")
    Cluster.objects.update(health="failed")
    renew_problems()


def test_all_problems_are_within_reach(many, viewer, client_of):
    client = client_of(viewer)
    # 63 clusters that were never checked, and the pairs without a peering.
    assert "and 57 more" in client.get("/").content.decode()
    url = reverse("overview:problems")
    displayed = [client.get(f"{url}?page={n}").context["page_obj"] for n in (1, 2)]
    assert sum(len(page.object_list) for page in displayed) == 64


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("severity=warning", 1),
        ("severity=failed", 0),
        ("code=cluster_unchecked", 63),
        ("state=acknowledged", 0),
        ("cluster=nonsense", 64),
        ("code=nonsense&severity=nonsense", 64),
    ],
)
def test_problems_are_filtered(many, viewer, client_of, query, count):
    page = client_of(viewer).get(f"{reverse('overview:problems')}?{query}")
    assert page.context["page_obj"].paginator.count == count


def test_problems_are_filtered_by_cluster(many, viewer, client_of):
    pk = Cluster.objects.get(name="c07").pk
    page = client_of(viewer).get(f"{reverse('overview:problems')}?cluster={pk}")
    found = {one.code for one in page.context["page_obj"]}
    assert found == {"cluster_unchecked", "mesh_incomplete"}


def test_poll_says_nothing_until_something_changes(problem, pair, viewer, client_of):
    client = client_of(viewer)
    url = reverse("overview:live")
    seen = client.get("/").context["overview"].version
    assert client.get(f"{url}?seen={seen}").status_code == 204
    pair.set(pair.there, ("sip", "failed"))
    renew_problems()
    answer = client.get(f"{url}?seen={seen}")
    assert answer.status_code == 200 and b"overview-mesh" in answer.content


def test_poll_of_healthy_clusters_takes_few_queries(
    pair, viewer, client_of, django_assert_max_num_queries
):
    client = client_of(viewer)
    seen = client.get("/").context["overview"].version
    with django_assert_max_num_queries(20):
        client.get(f"{reverse('overview:live')}?seen={seen}")


def test_operator_checks_everything_now(pair, operator, client_of):
    client = client_of(operator)
    client.post(reverse("overview:check_now"))
    assert Job.objects.get().kind == "sweep"
    assert AuditEntry.objects.filter(action="start sweep").exists()
    page = client.post(reverse("overview:check_now"), follow=True)
    assert b"running already" in page.content and Job.objects.count() == 1


def test_complete_the_mesh_is_proposed_where_entries_are_missing(
    pair, administrator, client_of
):
    client = client_of(administrator)
    assert b"Complete the mesh" not in client.get("/").content
    pair.back.delete()
    assert b"Complete the mesh" in client.get("/").content


def test_problem_of_another_cluster_is_shown_to_those_it_touches(pair, only):
    pair.node(contact_code="timeout", contact_error="It is silent.")
    pair.set(pair.there, ("connect",))
    pk = only().pk
    with limited_to(Limit(frozenset([pair.home.pk]))):
        seen = Problem.objects.get(pk=pk)
        assert [one["type"] for one in seen.visible_affects] == ["peer"]
        assert (seen.visible_cluster, seen.visible_fix_url) == (None, "")
    with limited_to(Limit(frozenset())):
        assert not Problem.objects.exists()


def test_problem_of_several_clusters_needs_them_all(pair, only):
    Peer.objects.all().delete()
    assert only().code == "mesh_incomplete"
    with limited_to(Limit(frozenset([pair.home.pk]))):
        assert not Problem.objects.exists()
    with limited_to(Limit(frozenset([pair.home.pk, pair.remote.pk]))):
        assert Problem.objects.exists()


def test_list_is_renewed_after_a_change_that_a_person_made(pair, viewer):
    from accounts import audit

    assert Overview().open == []
    pair.node(certificate_state="changed")
    assert Overview().open == []
    audit.append_entry(
        audit.CONSOLE, "notice changed certificate", pair.remote.publisher
    )
    assert [one.code for one in Overview().open] == ["certificate_changed"]


def test_page_of_a_cluster_shows_its_problems(pair, viewer, client_of):
    pair.node(contact_code="unauthorized")
    page = client_of(viewer).get(pair.remote.get_absolute_url()).content.decode()
    [refused] = Overview().open
    assert refused.code == "credentials_refused" and escape(refused.sentence) in page


def test_a_problem_names_what_it_is_about(pair, only):
    pair.node(contact_code="timeout", contact_error="It is silent.")
    assert only().sentence == f"{pair.remote.publisher}: It is silent."


def test_a_peers_problem_names_its_address(pair, only):
    pair.set(pair.there, ("connect", "failed", "Nothing answers on port 5060."))
    assert only().sentence == f"{pair.there.address}: Nothing answers on port 5060."


def test_a_maintenance_window_changes_what_a_poll_is_told(pair):
    before, now = Overview().version, timezone.now()
    ends = now + timedelta(hours=1)
    Maintenance.objects.create(cluster=pair.home, begins_at=now, ends_at=ends)
    assert Overview().version != before
