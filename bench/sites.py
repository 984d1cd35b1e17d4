"""One sweep split over the workers of several sites, beside the same at the centre.

`python -m bench.sites`: a lab in a process of its own, answering after 50 ms, whose
clusters are at as many sites as there are. At the centre this process sweeps them all;
over sites it waits for a process for each queue `site-NAME`, and judges. Both in turns
in one run. The workers look for jobs in the database themselves: what is measured is
the sweep, not the broker. All processes share this machine; real sites do not.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import console

CLUSTERS = int(os.environ.get("BENCH_CLUSTERS", "12"))
SITES = ("north", "east", "west")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
# What the sites' share costs more than it saves must stay below this.
GOAL = 1.5
CENTRE = ("operate", "maintenance")


@contextmanager
def running_lab(folder: Path) -> Iterator[dict[str, Any]]:
    described = folder / "lab.json"
    command = [sys.executable, "-m", "lab", "--state", str(folder)]
    options = ["--clusters", str(CLUSTERS), "--nodes", "1", "--network", "auto"]
    options += ["--users", "20", "--generation", "cup8", "--shared-key", "--peered"]
    process = subprocess.Popen([*command, *options, "--agent-interval", "5"])
    try:
        while not described.exists():
            time.sleep(0.1)
        subprocess.run([*command, "fault", "set", "lab", "latency=50"], check=True)
        yield json.loads(described.read_text())
    finally:
        process.terminate()
        process.wait()


def fill(described: dict[str, Any]) -> None:
    """Add the clusters of the lab, in turn at each site, and all their peers."""
    from clusters.models import Cluster
    from peers.models import Peer
    from tests.conftest import register

    homes = [register(one) for one in described["clusters"]]
    for number, home in enumerate(homes):
        site = SITES[number % len(SITES)]
        Cluster.objects.filter(pk=home.pk).update(site=site, version="8.6")
    remotes = list(zip(homes, described["clusters"], strict=True))
    for home in homes:
        for remote, reported in remotes:
            if remote is not home:
                peer = Peer(
                    cluster=home,
                    remote_cluster=remote,
                    address=reported["nodes"][0]["address"],
                    username=reported["intercluster_username"],
                    provisioning_state=Peer.ProvisioningState.APPLIED,
                )
                peer.seal("password", reported["intercluster_password"])
                peer.save()


@contextmanager
def site_workers() -> Iterator[None]:
    """A process for each site, until it is shown that it is there."""
    from jobs.models import Process

    command = [sys.executable, "-m", "bench.sites", "work"]
    workers = [
        subprocess.Popen([*command, f"site-{site}"], stdin=subprocess.PIPE)
        for site in SITES
    ]
    try:
        while Process.objects.alive().count() < len(SITES):
            time.sleep(0.1)
        yield
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()


def work(queue: str) -> None:
    """Be the worker of a queue: take what is due there."""
    import django

    django.setup()
    from jobs.engine import perform_job
    from jobs.models import Job, Process
    from jobs.presence import start_presence

    start_presence(Process.Kind.WORKER, [queue])
    while True:
        due = Job._base_manager.filter(pk__in=Job.objects.due(), queue=queue)
        for pk in due.values_list("pk", flat=True):
            perform_job(str(pk))
        time.sleep(0.02)


def sweep(queues: tuple[str, ...]) -> tuple[float, dict[str, int]]:
    """The seconds of one sweep by a process that serves these queues, and its finds."""
    from diagnostics.jobs.sweep import Sweep
    from jobs.engine import perform_job
    from jobs.models import Job
    from jobs.presence import serve_queues
    from peers.models import Peer

    serve_queues(queues)
    Peer.objects.update(outcome="unknown", checked_at=None)
    job = Sweep.submit()
    started = time.perf_counter()
    perform_job(str(job.pk))
    seconds = time.perf_counter() - started
    job.refresh_from_db()
    if job.state != Job.State.SUCCEEDED:
        raise SystemExit(f"the sweep ended {job.state}: {job.error}")
    outcomes = list(Peer.objects.values_list("outcome", flat=True))
    return seconds, {one: outcomes.count(one) for one in sorted(set(outcomes))}


def measure() -> bool:
    everywhere = (*CENTRE, *(f"site-{site}" for site in SITES))
    turns = {"at the centre": everywhere, f"over {len(SITES)} sites": CENTRE}
    took: dict[str, list[float]] = {name: [] for name in turns}
    found: dict[str, dict[str, int]] = {}
    for round_ in range(ROUNDS + 1):
        for name, queues in turns.items():
            seconds, found[name] = sweep(queues)
            if round_:
                took[name].append(seconds)
    peers = CLUSTERS * (CLUSTERS - 1)
    load = os.getloadavg()[0]
    print(f"a sweep of {CLUSTERS} clusters, {peers} peers, 50 ms; load {load:.0f}")
    centre, apart = (statistics.median(times) for times in took.values())
    for name, seconds in zip(turns, (centre, apart), strict=True):
        print(f"  {name:<20}{seconds:8.2f} s{seconds / centre:8.2f}  {found[name]}")
    same = len({str(one) for one in found.values()}) == 1
    passed = same and apart <= GOAL * centre
    print(
        f"  over sites to the centre, at most {GOAL}: {'PASS' if passed else 'missed'}"
    )
    return passed


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "CUPADMIN_SITES": ",".join(SITES),
            "CUPADMIN_ALLOWED_NETWORKS": "127.0.0.0/8",
        }
        state = Path(folder) / "lab"
        state.mkdir()
        with running_lab(state) as described:
            os.environ["CUPADMIN_DNS_SERVERS"] = described["dns"]
            console.prepare(folder)
            fill(described)
            with site_workers():
                passed = measure()
    sys.exit(not passed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        work(sys.argv[2])
    main()
