"""REST: the console itself, its processes, and who asks."""

import subprocess
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import ApiToken, AuditEntry
from cupadmin import versions
from jobs.models import Job, Process

API = "/api/v1/"
PROCESS = {
    *("host", "pid", "kind", "version", "queues", "sites"),
    *("started_at", "last_seen", "running", "job"),
}


@pytest.fixture
def worker(db):
    return Process.objects.create(
        host="north",
        pid=7,
        kind="worker",
        version="1",
        queues=["operate", "site-berlin"],
        sites=["berlin"],
    )


@pytest.fixture
def job(worker):
    job = Job.objects.submit("sweep", [("one", "One")], queue="operate")
    return Job.objects.claim(str(job.pk), "me", worker.pk)


def test_me_says_name_role_and_all_clusters(operator, api):
    expected = {"username": "otto", "role": "operator", "clusters": None}
    assert api(operator).get(f"{API}me/").json() == expected


def test_me_says_what_the_token_is_limited_to(administrator, client, cluster_factory):
    ids = [str(cluster_factory().pk)]
    _, text = ApiToken.issue(administrator, "small", "viewer", clusters=ids)
    headers = {"Authorization": f"Bearer {text}"}
    found = client.get(f"{API}me/", headers=headers).json()
    assert found == {"username": "ada", "role": "viewer", "clusters": ids}


def test_version_names_release_and_commit(viewer, api, settings):
    found = api(viewer).get(f"{API}version/").json()
    assert set(found) == {"version", "commit"}
    assert found["version"] == settings.VERSION
    assert found["commit"] is None or len(found["commit"]) == 40


@pytest.mark.parametrize(
    "failure", [FileNotFoundError, subprocess.TimeoutExpired("git", 5)]
)
def test_commit_is_null_where_nobody_knows_it(monkeypatch, settings, failure):
    def fail(*args, **options):
        raise failure

    monkeypatch.setattr(versions.subprocess, "run", fail)
    assert versions.running_commit.__wrapped__() is None
    settings.COMMIT = "abc"
    assert versions.running_commit.__wrapped__() == "abc"


def test_sweep_is_started_once(operator, api):
    client = api(operator)
    answer = client.post(f"{API}sweeps/", headers={"Idempotency-Key": "a"})
    assert answer.status_code == 202
    assert answer["Location"].endswith(f"/jobs/{answer.json()['id']}/")
    assert answer.json()["requested_by"] == "otto"
    again = client.post(f"{API}sweeps/", headers={"Idempotency-Key": "a"})
    assert again.json()["id"] == answer.json()["id"]
    assert client.post(f"{API}sweeps/").status_code == 409
    assert AuditEntry.objects.filter(action="start sweep").count() == 1


def test_processes_are_listed_with_the_job_in_hand(operator, api, worker, job):
    (found,) = api(operator).get(f"{API}processes/").json()
    assert set(found) == PROCESS
    assert found["job"] == str(job.pk)
    assert found["running"] is True
    assert found["sites"] == ["berlin"]


def test_a_job_of_another_cluster_is_not_named(operator, client, cluster_factory, job):
    ids = [str(cluster_factory().pk)]
    _, text = ApiToken.issue(operator, "small", "operator", clusters=ids)
    headers = {"Authorization": f"Bearer {text}"}
    (found,) = client.get(f"{API}processes/", headers=headers).json()
    assert found["job"] is None
    assert client.post(f"{API}sweeps/", headers=headers).status_code == 403


def test_a_process_without_heartbeats_is_not_running(operator, api, worker):
    Process.objects.update(last_seen=timezone.now() - timedelta(minutes=1))
    (found,) = api(operator).get(f"{API}processes/").json()
    assert found["running"] is False
    assert found["job"] is None


def test_job_names_its_worker_while_it_has_one(viewer, api, job):
    url = f"{API}jobs/{job.pk}/"
    found = api(viewer).get(url).json()
    assert (found["attempts"], found["waiting_for"]) == (1, None)
    assert found["worker"] == {"host": "north", "pid": 7}
    Job.objects.update(state="succeeded")
    assert api(viewer).get(url).json()["worker"] is None


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({}, None),
        ({"started_at": "2026-01-01T00:00Z", "doing": "Wait for cup2"}, "cup2. The"),
        ({"queue": "site-berlin"}, None),
        ({"queue": "maintenance"}, "queue maintenance"),
        ({"state": "running", "started_at": "2026-01-01T00:00Z"}, None),
        ({"state": "failed"}, None),
    ],
)
def test_job_says_what_it_waits_for(viewer, api, client_of, worker, change, part):
    job = Job.objects.submit("sweep", [("one", "One")], queue="operate")
    Job.objects.update(**change)
    found = api(viewer).get(f"{API}jobs/{job.pk}/").json()["waiting_for"]
    assert (part in found) if part else found is None
    for url in (
        f"/administration/system/jobs/{job.pk}/",
        "/administration/system/jobs/",
    ):
        page = client_of(viewer).get(url).content.decode()
        assert ("</svg>Waiting<" in page) is bool(part)


def test_many_jobs_that_wait_cost_no_query_each(
    viewer, api, worker, django_assert_max_num_queries
):
    for _ in range(20):
        Job.objects.submit("sweep", [("one", "One")], queue="maintenance")
    client = api(viewer)
    with django_assert_max_num_queries(12):
        found = client.get(f"{API}jobs/").json()["results"]
    assert all(row["waiting_for"] for row in found)


def test_page_of_processes_shows_what_does_not_run(
    operator, viewer, client_of, worker, job
):
    url = "/administration/system/processes/"
    page = client_of(operator).get(url).content.decode()
    assert "site-berlin" in page
    assert job.get_absolute_url() in page
    assert "Not running" not in page
    Process.objects.update(last_seen=timezone.now() - timedelta(minutes=1))
    assert "Not running" in client_of(operator).get(url).content.decode()
    assert client_of(viewer).get(url).status_code == 403
