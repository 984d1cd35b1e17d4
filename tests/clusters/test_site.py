"""A cluster that moves to another site takes its waiting jobs along."""

import pytest

from accounts.audit import CONSOLE
from clusters import editing
from clusters.jobs.discover import DiscoverCluster
from clusters.jobs.test import TestCluster
from diagnostics.jobs.check import CheckPeers
from diagnostics.jobs.sweep import Sweep
from jobs.models import Job, Process
from overview.renewal import renew_problems
from peers import lifecycle
from services.jobs.refresh import RefreshServices


@pytest.fixture
def berlin(cluster_factory):
    return cluster_factory("berlin", site="berlin")


@pytest.fixture
def vienna(cluster_factory):
    return cluster_factory("vienna", site="berlin")


def move(cluster, site):
    cluster.site = site
    editing.save_cluster(cluster, CONSOLE, fields=["site"])


def queue_of(job):
    return Job.objects.values_list("queue", flat=True).get(pk=job.pk)


@pytest.mark.parametrize(
    ("site", "queue"), [("munich", "site-munich"), ("", "operate"), ("berlin", None)]
)
def test_waiting_jobs_follow_their_cluster(berlin, site, queue):
    jobs = [
        TestCluster.submit(berlin, CONSOLE),
        DiscoverCluster.submit(berlin, CONSOLE),
    ]
    Job.objects.filter(pk=jobs[0].pk).update(ring_at="2100-01-01T00:00Z")
    move(berlin, site)
    assert {queue_of(job) for job in jobs} == {queue or "site-berlin"}
    assert (Job.objects.filter(ring_at__year=2100).exists()) is (queue is None)


def test_a_cluster_that_gets_its_first_site_takes_its_jobs(cluster_factory):
    cluster = cluster_factory("berlin")
    job = TestCluster.submit(cluster, CONSOLE)
    move(cluster, "berlin")
    assert queue_of(job) == "site-berlin"


def test_jobs_of_a_peer_follow_its_own_cluster(berlin, vienna, peer_factory):
    there, back = peer_factory(berlin, vienna), peer_factory(vienna, berlin)
    jobs = [
        CheckPeers.submit([there], CONSOLE),
        lifecycle.submit_removal(there, CONSOLE),
    ]
    other = lifecycle.provision_peer(back, CONSOLE)
    move(berlin, "munich")
    assert {queue_of(job) for job in jobs} == {"site-munich"}
    assert queue_of(other) == "site-berlin"


def test_a_removal_of_both_sides_follows_the_first(berlin, vienna, peer_factory):
    there = peer_factory(berlin, vienna)
    peer_factory(vienna, berlin)
    job = lifecycle.submit_removal(there, CONSOLE, both_sides=True)
    move(vienna, "munich")
    assert queue_of(job) == "site-berlin"
    move(berlin, "munich")
    assert queue_of(job) == "site-munich"


def test_a_job_of_two_clusters_goes_to_all_workers_when_one_moves(berlin, vienna):
    job = RefreshServices.submit([berlin.publisher, vienna.publisher], CONSOLE)
    assert queue_of(job) == "site-berlin"
    move(vienna, "")
    assert queue_of(job) == "operate"


def test_other_jobs_stay(berlin, vienna):
    sweep, other = Sweep.submit(), TestCluster.submit(vienna, CONSOLE)
    ended = TestCluster.submit(berlin, CONSOLE)
    Job.objects.filter(pk=ended.pk).update(state="succeeded")
    move(berlin, "munich")
    queues = [queue_of(job) for job in (sweep, other, ended)]
    assert queues == ["operate", "site-berlin", "site-berlin"]


def test_a_job_in_hand_waits_for_the_new_site_if_it_comes_to_wait(berlin):
    job = TestCluster.submit(berlin, CONSOLE)
    Job.objects.update(state="running")
    move(berlin, "munich")
    assert queue_of(job) == "site-munich"


@pytest.fixture
def edit(administrator, client_of, berlin):
    client = client_of(administrator)
    page = client.get(f"{berlin.get_absolute_url()}edit/")
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in values.items() if value not in (None, False)}
    return lambda **new: client.post(
        f"{berlin.get_absolute_url()}edit/", {**data, **new}, follow=True
    ).content.decode()


def test_a_site_without_a_worker_is_warned_of_at_once(edit, settings):
    settings.SITES = ["munich"]
    assert "site-munich" in edit(site="munich")
    queues = ["operate", "site-munich"]
    Process.objects.create(host="here", pid=1, kind="worker", queues=queues)
    assert "site-munich" not in edit(site="munich")


def test_a_site_without_workers_of_its_own_needs_no_warning(edit):
    assert "site-munich" not in edit(site="munich")


def test_rest_warns_of_the_site(administrator, api, berlin, settings):
    url = f"/api/v1/clusters/{berlin.pk}/"
    assert api(administrator).get(url).json()["site_warning"] is None
    settings.SITES = ["berlin"]
    assert "site-berlin" in api(administrator).get(url).json()["site_warning"]


def shown_to(client):
    shown = client.get("/").context["overview"].visible
    return [one.key for one in shown if "berlin" in one.key]


def test_the_overview_names_each_site_without_a_worker_once(
    viewer, client_of, berlin, vienna, settings
):
    settings.SITES = ["berlin"]
    client = client_of(viewer)
    assert shown_to(client) == ["site_unserved:berlin"]
    TestCluster.submit(berlin, CONSOLE)
    Job.objects.update(not_before="2020-01-01T00:00Z")
    renew_problems()
    assert shown_to(client) == ["no_worker:site-berlin"]
