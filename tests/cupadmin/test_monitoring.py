"""Metrics as Prometheus reads them, the alert rules and the dashboard upon them."""

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.cluster_limits import narrow_limit
from accounts.models import ApiToken
from accounts.roles import Role
from clusters.models import Cluster, Node
from cupadmin import readiness
from diagnostics.models import TroubleshooterResult, TroubleshooterRun
from jobs.models import Job, JobCount, Process
from peers.models import Peer
from tests.deploy.conftest import tool

pytestmark = pytest.mark.django_db

DEPLOY = Path(settings.BASE_DIR) / "deploy"
RULES = DEPLOY / "prometheus" / "cupadmin.rules.yml"
DASHBOARD = DEPLOY / "grafana" / "cupadmin.json"
SELECTOR = re.compile(r"(cupadmin_\w+)(?:\{([^}]*)\})?")
# Of every series, by Prometheus itself; `le` is of a histogram's buckets.
GIVEN = {"job", "instance"}
MEGABYTE = 1_000_000


def scrape():
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture(autouse=True)
def admitted(settings):
    readiness.cached_checks.clear()
    settings.METRICS_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def world(cluster_factory, peer_factory):
    """One of everything that has a metric."""
    one, other = cluster_factory("madrid"), cluster_factory("oslo")
    peer_factory(one, other, outcome="failed", associated_users=7)
    Cluster.objects.update(checked_at=timezone.now())
    Node.objects.update(certificate_not_after=timezone.now() + timedelta(days=9))
    run = TroubleshooterRun.objects.create(finished_at=timezone.now(), whole=True)
    TroubleshooterResult.objects.create(
        run=run,
        position=0,
        code="reach",
        outcome="failed",
        cluster=one,
        cluster_name="madrid",
        node_name="madrid-pub",
    )
    now = timezone.now()
    ended = {"state": "succeeded", "started_at": now, "finished_at": now}
    Job.objects.filter(pk=Job.objects.submit("sweep", []).pk).update(**ended)
    Job.objects.submit("sweep", [])
    JobCount.objects.add("sweep", "succeeded")
    for kind in Process.Kind.values:
        Process.objects.create(host="north", pid=7, kind=kind, queues=["operate"])
    Client().get("/healthz")


def families(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


def samples(text, name):
    return [
        (one.labels, one.value)
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if one.name == name
    ]


def labels_by_name(text):
    found = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            found.setdefault(one.name, set()).update(one.labels)
    return found


def test_promtool_has_nothing_to_say(world):
    lint = [tool("promtool"), "check", "metrics"]
    ended = subprocess.run(lint, input=scrape(), capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_no_series_is_there_twice(world, cluster_factory, peer_factory):
    one, other = Cluster.objects.get(name="madrid"), Cluster.objects.get(name="oslo")
    peer_factory(one, other, address="second.example.com")
    text = scrape()
    series = [line.rpartition(" ")[0] for line in text.splitlines() if line[0] != "#"]
    assert len(series) == len(set(series))
    remotes = {labels["remote"] for labels, _ in samples(text, "cupadmin_peer_outcome")}
    assert "oslo (second.example.com)" in remotes


def test_a_peer_is_named_by_both_clusters(world):
    ((labels, value),) = samples(scrape(), "cupadmin_peer_outcome")
    assert labels == {"cluster": "madrid", "remote": "oslo", "outcome": "failed"}
    assert value == 1


def test_requests_are_counted_by_route():
    def count():
        found = samples(scrape(), "cupadmin_http_requests_total")
        names = ("method", "route", "code")
        return {tuple(one[name] for name in names): value for one, value in found}

    before = count()
    for path in ("/api/v1/me/", "/nowhere/1", "/nowhere/2"):
        Client().get(path)
    Client().generic("STRANGE", "/nowhere/3")
    after = count()
    added = {key: after[key] - before.get(key, 0) for key in after}
    by_route = {key: number for key, number in added.items() if number}
    assert by_route["GET", "api:me", "401"] == 1
    unknown = {key for key in by_route if "nowhere" in str(key)}
    assert unknown == set()
    assert {method for method, *_ in by_route} <= {"GET", "other"}


def test_jobs_that_ended_are_counted_for_ever(world):
    job = Job.objects.submit("sweep", [])
    job.cancel()
    found = samples(scrape(), "cupadmin_jobs_ended_total")
    counts = {(one["kind"], one["state"]): value for one, value in found}
    assert counts == {("sweep", "succeeded"): 1, ("sweep", "cancelled"): 1}
    Job.objects.all().delete()
    assert samples(scrape(), "cupadmin_jobs_ended_total") == found


def test_a_limited_token_reads_its_clusters_and_nothing_of_the_console(world, viewer):
    oslo = Cluster.objects.get(name="oslo")
    _, text = ApiToken.issue(viewer, "oslo", Role.VIEWER, clusters=[str(oslo.pk)])
    headers = {"authorization": f"Bearer {text}"}
    answer = Client().get("/metrics", headers=headers).content.decode()
    narrow_limit(None)
    clusters = {one["cluster"] for one, _ in samples(answer, "cupadmin_cluster_health")}
    assert clusters == {"oslo"}
    assert "cupadmin_http" not in answer
    assert "cupadmin_jobs" not in answer
    assert "cupadmin_ready" not in answer


def test_a_mesh_of_sixty_clusters_is_less_than_a_megabyte(db):
    clusters = Cluster.objects.bulk_create(
        Cluster(name=f"presence-{n:02}", domain="example.com") for n in range(60)
    )
    peers = [
        Peer(
            cluster=home,
            remote_cluster=remote,
            address=f"{remote.name}-pub.example.com",
            outcome="passed",
            associated_users=15_000,
        )
        for home in clusters
        for remote in clusters
        if home != remote
    ]
    Peer.objects.bulk_create(peers)
    run = TroubleshooterRun.objects.create(finished_at=timezone.now(), whole=True)
    TroubleshooterResult.objects.bulk_create(
        TroubleshooterResult(
            run=run,
            position=n,
            code=f"test_{n % 30}",
            outcome="failed",
            cluster=peer.cluster,
            cluster_name=peer.cluster.name,
            peer_address=peer.address,
        )
        for n, peer in enumerate(peers)
    )
    text = scrape()
    assert len(samples(text, "cupadmin_peer_outcome")) == 3540
    # Requests are counted by process: in this one, those of the tests before it.
    lines = [line for line in text.splitlines(True) if "cupadmin_http" not in line]
    assert len("".join(lines)) < MEGABYTE


def queries():
    """Every expression of the rules and of the dashboard, and where it is."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def test_rules_and_dashboard_name_what_a_scrape_has(world):
    known = labels_by_name(scrape())
    requested = set()
    for where, expression in queries():
        for name, selector in SELECTOR.findall(expression):
            labels = set(re.findall(r"(\w+)\s*=~?\s*\"", selector))
            assert name in known, where
            assert labels - GIVEN <= known[name], where
            requested.add(name)
    assert len(requested) > 12


def test_labels_of_sums_and_texts_are_those_of_a_scrape(world):
    known = labels_by_name(scrape())
    for where, expression in queries():
        names = [name for name, _ in SELECTOR.findall(expression)]
        for listed in re.findall(r"by \(([^)]*)\)", expression):
            labels = {one.strip() for one in listed.split(",")}
            assert labels <= set.union(*(known[name] for name in names)), where


def test_promtool_accepts_the_rules_and_they_fire():
    folder = RULES.parent
    for words in (
        ["check", "rules", RULES.name],
        ["test", "rules", "cupadmin.rules.test.yml"],
    ):
        ended = subprocess.run(
            [tool("promtool"), *words], cwd=folder, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_promtool_accepts_the_queries_of_the_dashboard(tmp_path):
    rules = [
        {"record": f"dashboard:query_{number}", "expr": in_promql(expression)}
        for number, (_, expression) in enumerate(queries())
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    ended = subprocess.run(
        [tool("promtool"), "check", "rules", path], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def in_promql(expression):
    return expression.replace("$__rate_interval", "5m").replace("$job", "cupadmin")


def test_panels_of_the_dashboard_have_places_of_their_own():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


SHARED = """
import os, sys
from pathlib import Path
from cupadmin.shared_counters import share_counters
data = Path(sys.argv[1])
(data / "metrics" / "4194304").mkdir(parents=True)
share_counters(data)
print(sorted(p.name for p in (data / "metrics").iterdir()) == [str(os.getppid())])
import django
django.setup()
from cupadmin import console_metrics
from prometheus_client import generate_latest
console_metrics.REQUESTS.labels("GET", "home", 200).inc()
os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", sys.argv[2]])
print(generate_latest(console_metrics.counter_registry()).decode())
"""
OTHER_PROCESS = """
import django
django.setup()
from cupadmin import console_metrics
console_metrics.REQUESTS.labels("GET", "home", 200).inc(2)
"""


def test_processes_of_a_web_server_count_together(tmp_path):
    env = os.environ | {
        "CUPADMIN_DATA_DIR": str(tmp_path / "console"),
        "DJANGO_SETTINGS_MODULE": "cupadmin.settings",
    }
    ended = subprocess.run(
        [sys.executable, "-c", SHARED, tmp_path, OTHER_PROCESS],
        env=env,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    first, _, text = ended.stdout.partition("\n")
    assert first == "True"
    (found,) = samples(text, "cupadmin_http_requests_total")
    assert found[1] == 3
