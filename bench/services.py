"""Network services of 60 clusters x 4 nodes: reading them all, and the grid's page.

`python -m bench.services` in a folder of its own. The nodes are `bench.server`'s, which
share this machine's processor with us; the floor tells how much of it they leave.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import uvloop

from bench import contest, contestants
from bench.server import address
from services.jobs.refresh import RefreshServices
from wire import soap, spare_collector

CLUSTERS, NODES, DELAY_MS, SLOW_MS, ROUNDS = 60, 4, 50, 500, 5


def prepare() -> None:
    os.environ["CUPADMIN_DATA_DIR"] = tempfile.mkdtemp(prefix="cupadmin-bench-")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["CUPADMIN_ALLOWED_HOSTS"] = "testserver"
    os.environ["CUPADMIN_DEBUG"] = "0"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    spare_collector()


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds by the wall and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def refresh(nodes: list[Any]) -> None:
    from accounts.audit import Actor
    from jobs.engine import perform_job
    from services.models import NodePace

    NodePace.objects.all().delete()
    job = RefreshServices.submit(nodes, Actor())
    perform_job(str(job.pk))
    job.refresh_from_db()
    if job.state != job.State.SUCCEEDED:
        raise SystemExit(job.error)


def grid_page(view: str) -> tuple[float, int, int]:
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    user, _ = User.objects.get_or_create(username="bench", is_superuser=True)
    client = Client()
    client.force_login(user)
    url = f"{reverse('services:grid')}?view={view}"
    client.get(url)
    took = [timed(lambda: client.get(url))[0] for _ in range(ROUNDS)]
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    return statistics.median(took), len(queries), len(response.content)


def empty_job() -> float:
    """The processor time of a job that does one step and asks nobody."""
    from accounts.roles import Role
    from jobs.engine import perform_job
    from jobs.kind import JobKind
    from jobs.models import Job

    class Bench(JobKind):
        name = "bench"
        label = "Bench"
        role = Role.OPERATOR

        def work(self) -> None:
            self.run.do("one", lambda step: None)

    def one() -> None:
        perform_job(str(Job.objects.submit(Bench, [("one", "One")]).pk))

    one()
    return statistics.median(timed(one)[1] for _ in range(20))


def register_all(fingerprint: str) -> list[Any]:
    from clusters.models import Cluster, Node

    for number in range(CLUSTERS):
        cluster = Cluster(name=f"cluster {number}", axl_username="axl")
        cluster.seal("axl_password", "password")
        cluster.save()
        for at in range(number * NODES, (number + 1) * NODES):
            Node.objects.create(
                cluster=cluster,
                name=f"node{at:03}.example.com",
                address=address(at),
                role=Node.Role.SUBSCRIBER if at % NODES else Node.Role.PUBLISHER,
                certificate_fingerprint=fingerprint,
                certificate_state=Node.CertificateState.TRUSTED,
            )
    return list(Node.objects.select_related("cluster").order_by("name"))


def trust(fingerprint: str) -> None:
    from clusters.models import Node

    Node.objects.update(certificate_fingerprint=fingerprint)


def bare_reads(count: int) -> int:
    """The floor: the same bytes to as many nodes, all at once, and not looked at."""
    context = contestants.bare_context()
    body = soap.build_request(
        "controlcenter", "soapGetServiceStatus", ServiceStatus=[""]
    )
    path = "/controlcenterservice2/services/ControlCenterServices"
    request = contestants.bare_request(path, "soapGetServiceStatus", body)

    async def ask_all() -> list[bytes]:
        asks = (
            contestants.bare_ask(address(n), context, request) for n in range(count)
        )
        return await asyncio.gather(*asks)

    return sum(b"Cisco Service 24" in answer for answer in uvloop.run(ask_all()))


def compare(title: str, nodes: list[Any]) -> bool:
    """Print the time of the first node alone and of all, ours and the floor's."""
    works: dict[str, Callable[[], Any]] = {
        "bare, one": lambda: bare_reads(1),
        "bare, all": lambda: bare_reads(len(nodes)),
        "one": lambda: refresh(nodes[:1]),
        "all": lambda: refresh(nodes),
    }
    runs = {name: [timed(work) for _ in range(ROUNDS)] for name, work in works.items()}
    wall = {name: statistics.median(w for w, _ in run) for name, run in runs.items()}
    cpu = {name: statistics.median(c for _, c in run) for name, run in runs.items()}
    print(f"\n{title:<32}{'one node':>10}{len(nodes):>6} nodes{'ratio':>8}")
    for name, (one, every) in {
        "floor, bare streams": ("bare, one", "bare, all"),
        "a refresh": ("one", "all"),
    }.items():
        ratio = wall[every] / wall[one]
        print(f"  {name:<30}{wall[one]:8.3f} s{wall[every]:10.3f} s{ratio:8.2f}")
        print(f"  {'processor':<30}{cpu[one]:8.3f} s{cpu[every]:10.3f} s")
    print(f"  all nodes, ours to floor {wall['all'] / wall['bare, all']:.2f}")
    return wall["all"] <= 1.5 * wall["one"]


def main() -> None:
    delays = {"50 ms": (DELAY_MS,), "one node at 500 ms": (DELAY_MS, SLOW_MS)}
    held = True
    nodes: list[Any] = []
    for title, given in delays.items():
        with contest.server("services", CLUSTERS * NODES, *given) as reported:
            fingerprint = str(reported["fingerprint"])
            nodes = nodes or register_all(fingerprint)
            trust(fingerprint)
            for node in nodes:
                node.certificate_fingerprint = fingerprint
            refresh(nodes)
            held &= compare(title, nodes)
    print(f"\na job of one step     {empty_job() * 1000:7.1f} ms of processor")
    for view in ("list", "nodes"):
        took, queries, size = grid_page(view)
        kilobytes = size / 1000
        print(
            f"grid page, {view:<6} {took * 1000:10.1f} ms, {queries} queries,", end=""
        )
        print(f" {kilobytes:.0f} kB")
    if not held:
        sys.exit("\nmissed: all nodes within 1.5 times one")


if __name__ == "__main__":
    prepare()
    main()
