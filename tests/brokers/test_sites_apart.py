"""Workers of two sites and of a centre that has no route to any cluster."""

import json
import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings as ours

from accounts.audit import CONSOLE
from clusters import certificates
from clusters.models import Cluster, Node
from diagnostics.jobs.sweep import Sweep
from diagnostics.jobs.troubleshoot import Troubleshoot
from jobs import dispatch, tasks
from jobs.models import Job, Process
from mesh import applying
from mesh.intent import MeshIntent
from mesh.plan import plan_mesh
from peers.models import Peer
from tests.brokers import namespaces
from tests.brokers.servers import Embedded
from tests.conftest import missing, register
from tests.waiting import eventually
from tests.workers import environment
from wire import Code, WireError

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]

WORKER = [sys.executable, "-m", "celery", "-A", "cupadmin", "worker"]
WORKER += ["--pool", "threads", "--concurrency", "8", "--loglevel", "ERROR"]
WORKER += ["--without-gossip", "--without-mingle"]
QUEUES = {"centre": "operate,maintenance"}
QUEUES |= {site: f"site-{site}" for site in namespaces.SITES}

Workers = dict[str, "subprocess.Popen[bytes]"]


@pytest.fixture
def start(transactional_db, settings, tmp_path):
    """Start a process in a place; all that are left are killed at the end."""
    if reason := namespaces.refusal():
        missing("netns", reason)
    settings.SITES = list(namespaces.SITES)
    settings.DNS_SERVERS = [f"{namespaces.DNS}:5353"]
    started = []

    def at(place, command):
        known = environment(
            PYTHONWARNINGS="ignore",
            CUPADMIN_SITES=",".join(settings.SITES),
            CUPADMIN_ALLOWED_NETWORKS=f"{namespaces.NETWORK}.0.0/16",
        )
        process = namespaces.start_at(place, command, known, ours.BASE_DIR)
        started.append(process)
        return process

    with namespaces.places():
        yield at
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture
def clusters(start, tmp_path):
    """A cluster at each site, known to the console."""
    described = tmp_path / "lab.json"
    command = [sys.executable, "-m", "lab", "--clusters", "2", "--nodes", "1"]
    command += ["--network", namespaces.NETWORK, "--describe", str(described)]
    command += ["--users", "4,3", "--generation", "cup8", "--shared-key"]
    command += ["--agent-interval", "0.3", "--service-delay", "0.2"]
    start("clusters", command)
    assert eventually(described.exists), "the lab did not start"
    found = []
    for description, site in zip(
        json.loads(described.read_text())["clusters"], namespaces.SITES, strict=True
    ):
        cluster = register(description)
        cluster.site, cluster.version = site, description.get("version", "8.6")
        cluster.save(update_fields=["site", "version"])
        found.append(cluster)
    return found


@pytest.fixture
def workers(start, clusters, monkeypatch):
    """A worker at each place, by its name."""
    broker = Embedded()
    broker.lose()
    with broker.producer() as app:
        monkeypatch.setattr(dispatch, "current_app", app)
        found = {
            place: start(place, [*WORKER, *named(place), "--queues", queues])
            for place, queues in QUEUES.items()
        }
        assert eventually(lambda: Process.objects.alive().count() == len(QUEUES))
        yield found
        dispatch.wait_until_sent()
    broker.leave()


def named(place: str) -> list[str]:
    return ["--hostname", f"{os.getpid()}-{place}@tests"]


def ended(job: Job) -> Job:
    """Wait for the end of a job, and ring as beat does."""

    def over() -> bool:
        tasks.ring_due()
        job.refresh_from_db()
        return not job.active

    assert eventually(over), list(Job.objects.values_list("kind", "state", "queue"))
    return job


def outcomes() -> set[str]:
    return set(Peer.objects.values_list("outcome", flat=True))


def test_sites_without_a_path_between_them(clusters, workers):
    unreachable_from_here(clusters)
    set_up_a_mesh(clusters)
    sweep_finds_all_good()
    troubleshooter_finds_nothing_failed(clusters)
    certificates_are_read(clusters)
    a_site_that_is_gone_is_unknown(workers)


def unreachable_from_here(clusters: list[Cluster]) -> None:
    for place in (namespaces.CENTRE, "berlin"):
        address = clusters[1].publisher.address
        route = ["ip", "-n", namespaces.name_of(place), "route", "get", address]
        assert subprocess.run(route, capture_output=True).returncode != 0


def set_up_a_mesh(clusters: list[Cluster]) -> None:
    intent = MeshIntent.whole_mesh(clusters)
    job = ended(applying.apply_plan(intent, plan_mesh(intent).hash, CONSOLE))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert outcomes() == {"passed"}


def sweep_finds_all_good() -> None:
    Peer.objects.update(outcome="", checked_at=None)
    job = ended(Sweep.submit())
    assert job.state == Job.State.SUCCEEDED, job.error
    assert outcomes() == {"passed"}
    assert set(Cluster.objects.values_list("health", flat=True)) == {"ok"}
    assert not Node.objects.exclude(contact_code="").exists()


def troubleshooter_finds_nothing_failed(clusters: list[Cluster]) -> None:
    run = Troubleshoot.submit(clusters)
    assert ended(run.job).state == Job.State.SUCCEEDED
    wrong = run.results.filter(outcome="failed").values_list("code", "problem")
    assert not list(wrong)
    assert run.results.filter(outcome="passed").count() > 20


def certificates_are_read(clusters: list[Cluster]) -> None:
    for cluster in clusters:
        node = Node.objects.select_related("cluster").get(cluster=cluster)
        found = certificates.present_certificate(node)
        assert found.fingerprint == node.certificate_fingerprint


def a_site_that_is_gone_is_unknown(
    workers: dict[str, "subprocess.Popen[bytes]"],
) -> None:
    workers["munich"].send_signal(signal.SIGTERM)
    workers["munich"].wait()
    job = ended(Sweep.submit())
    assert job.state == Job.State.SUCCEEDED, job.error
    assert outcomes() == {"unknown"}
    healths = dict(Cluster.objects.values_list("site", "health"))
    assert healths == {"berlin": "ok", "munich": "unknown"}
    assert not Node.objects.exclude(contact_code="").exists()
    node = Node.objects.select_related("cluster").get(cluster__site="munich")
    with pytest.raises(WireError) as refused:
        certificates.present_certificate(node)
    assert refused.value.code == Code.UNREACHABLE
