"""Network services of 60 clusters x 4 nodes: reading them all, and the grid's page.

`python -m bench.services` in a folder of its own; needs the lab's loopback addresses.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wire import spare_collector

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
    from jobs.run import perform
    from services import changes
    from services.models import NodePace

    NodePace.objects.all().delete()
    job = changes.refresh(nodes, Actor())
    perform(str(job.pk))
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
    from jobs import kinds
    from jobs.models import Job
    from jobs.run import perform

    kinds.kind("bench", "Bench")(lambda run: run.do("one", lambda s: None) and None)

    def one() -> None:
        perform(str(Job.objects.submit("bench", [("one", "One")]).pk))

    one()
    return statistics.median(timed(one)[1] for _ in range(20))


def lab(directory: str) -> subprocess.Popen[bytes]:
    """Start the lab in a process of its own, so that it does not count as ours."""
    shape = ["--clusters", str(CLUSTERS), "--nodes", str(NODES), "--users", "0"]
    more = ["--network", "auto", "--no-sip", "--shared-key", "--state", directory]
    command = [sys.executable, "-m", "lab"]
    running = subprocess.Popen([*command, *shape, *more], stdout=subprocess.PIPE)
    assert running.stdout is not None
    while b"ready" not in running.stdout.readline():
        pass
    delay(directory, "lab", DELAY_MS)
    return running


def delay(directory: str, target: str, milliseconds: int) -> None:
    command = [sys.executable, "-m", "lab", "--state", directory, "fault", "set"]
    latency = f"latency={milliseconds}"
    subprocess.run([*command, target, latency], check=True, stdout=subprocess.DEVNULL)


def register_all(directory: str) -> list[Any]:
    from peers.models import Node
    from tests.conftest import register

    for described in json.loads(Path(directory, "lab.json").read_text())["clusters"]:
        register(described)
    return list(Node.objects.select_related("cluster"))


def compare(title: str, nodes: list[Any]) -> None:
    """Print the time of the slowest node alone, of all nodes, and their ratio."""
    one = [timed(lambda: refresh(nodes[:1])) for _ in range(ROUNDS)]
    every = [timed(lambda: refresh(nodes)) for _ in range(ROUNDS)]
    wall = [statistics.median(took for took, _ in runs) for runs in (one, every)]
    cpu = [statistics.median(used for _, used in runs) for runs in (one, every)]
    print(title)
    print(f"  that node read      {wall[0]:7.2f} s, processor {cpu[0]:5.2f} s")
    print(f"  {len(nodes)} nodes read      {wall[1]:7.2f} s, processor {cpu[1]:5.2f} s")
    print(f"  ratio               {wall[1] / wall[0]:7.1f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        running = lab(directory)
        try:
            nodes = register_all(directory)
            refresh(nodes)
            compare("at 50 ms", nodes)
            delay(directory, nodes[0].name, SLOW_MS)
            compare("one node at 500 ms", nodes)
        finally:
            running.terminate()
            running.wait()
    print(f"a job of one step     {empty_job() * 1000:7.1f} ms of processor")
    for view in ("list", "nodes"):
        took, queries, size = grid_page(view)
        kilobytes = size / 1000
        print(
            f"grid page, {view:<6} {took * 1000:10.1f} ms, {queries} queries,", end=""
        )
        print(f" {kilobytes:.0f} kB")


if __name__ == "__main__":
    prepare()
    sys.exit(main())
