import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from jobs import kind as kinds
from jobs.models import Job


@pytest.fixture
def job(cluster_factory, operator):
    return Job.objects.submit(
        "refresh-services",
        [("one", "Read <b>one</b>")],
        target=cluster_factory("berlin").publisher,
        user=operator,
        address="192.0.2.7",
    )


def find_page(client, **filters):
    response = client.get(reverse("jobs:find"), filters)
    return list(response.context["page"].object_list)


def test_the_page_tells_who_asked_from_where_and_what(client_of, viewer, job):
    content = client_of(viewer).get(job.get_absolute_url()).content.decode()
    assert "otto from 192.0.2.7" in content
    assert "Read &lt;b&gt;one&lt;/b&gt;" in content
    assert reverse("jobs:target", args=[job.pk]) in content


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 1),
        ({"kind": "refresh-services"}, 1),
        ({"kind": "sweep"}, 0),
        ({"state": "queued"}, 1),
        ({"state": "active"}, 1),
        ({"state": "failed"}, 0),
        ({"requested_by": "otto"}, 1),
        ({"object": "BERLIN"}, 1),
        ({"object": "paris"}, 0),
        ({"state": "nonsense"}, 1),
        ({"object": "\0"}, 1),
    ],
)
def test_the_list_is_filtered(client_of, viewer, job, filters, found):
    assert len(find_page(client_of(viewer), **filters)) == found


def test_a_filter_that_cannot_be_used_is_said_to_be(client_of, viewer, job):
    response = client_of(viewer).get(reverse("jobs:find"), {"object": "x" * 300})
    assert response.context["form"].has_error("object", "max_length")
    assert b'class="field-error"' in response.content


def test_an_empty_list_says_what_appears_there(client_of, viewer):
    assert b"No jobs" in client_of(viewer).get(reverse("jobs:find")).content


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_polling_ends_with_the_job(client_of, viewer, job, state):
    client, headers = client_of(viewer), {"HX-Request": "true"}
    assert client.get(job.get_absolute_url(), headers=headers).status_code == 200
    Job.objects.update(state=state)
    for url in (job.get_absolute_url(), reverse("jobs:find")):
        response = client.get(url, headers=headers)
        assert response.status_code == 286
        assert b"hx-trigger" not in response.content


def test_the_link_to_the_target_leads_there(client_of, viewer, job):
    response = client_of(viewer).get(reverse("jobs:target", args=[job.pk]))
    assert job.target_id in response["Location"]


def test_a_job_on_many_things_leads_to_their_page(client_of, viewer, job, monkeypatch):
    Job.objects.update(target_id="", target_type="")
    kind = kinds.kind_named(job.kind)
    monkeypatch.setattr(kind, "page_of", lambda job: "/things/")
    client, link = client_of(viewer), reverse("jobs:target", args=[job.pk])
    assert client.get(link)["Location"] == "/things/"
    for url in (job.get_absolute_url(), reverse("jobs:find")):
        assert link in client.get(url).content.decode()


def test_a_target_that_is_gone_is_said_to_be(client_of, viewer, job):
    Job.objects.update(target_id="00000000-0000-0000-0000-000000000000")
    url = reverse("jobs:target", args=[job.pk])
    response = client_of(viewer).get(url, follow=True)
    assert b"no longer exists" in response.content


def test_the_badge_counts_running_and_failed_jobs(client_of, viewer, job):
    response = client_of(viewer).get(reverse("jobs:badge"))
    assert (response.context["running"], response.context["failed"]) == (1, 0)


def test_a_job_is_cancelled_and_who_did_it_is_recorded(client_of, operator, job):
    client_of(operator).post(reverse("jobs:cancel", args=[job.pk]))
    assert Job.objects.get().state == Job.State.CANCELLED
    assert AuditEntry.objects.get(action="cancel job").actor == "otto"


def test_a_failed_job_is_retried(client_of, operator, job):
    Job.objects.update(state=Job.State.FAILED)
    client_of(operator).post(reverse("jobs:retry", args=[job.pk]))
    assert Job.objects.get().state == Job.State.QUEUED


def test_a_job_that_succeeded_is_not_retried(client_of, operator, job):
    Job.objects.update(state=Job.State.SUCCEEDED)
    client_of(operator).post(reverse("jobs:retry", args=[job.pk]))
    assert Job.objects.get().state == Job.State.SUCCEEDED


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_a_viewer_changes_nothing(client_of, viewer, job, action):
    url = reverse(f"jobs:{action}", args=[job.pk])
    assert client_of(viewer).post(url).status_code == 403
    assert client_of(viewer).get(url).status_code == 405


@pytest.mark.parametrize("url", ["/administration/system/jobs/", "/"])
def test_the_badge_of_a_page_shows_no_value_of_the_page(client_of, viewer, job, url):
    content = client_of(viewer).get(url).content.decode()
    badge = content.partition('id="jobs-badge"')[2].partition("</a>")[0]
    assert 'hx-trigger="load"' in badge
    assert "count" not in badge
