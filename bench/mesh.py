"""The matrix of 60 clusters, and a whole mesh of lab clusters set up by its job.

`python -m bench.mesh [CLUSTERS]` in a folder of its own; needs the lab's loopback
addresses.
"""

import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MATRIX, ROUNDS, CLUSTERS = 60, 15, 20


def prepare() -> None:
    os.environ["CUPADMIN_DATA_DIR"] = tempfile.mkdtemp(prefix="cupadmin-bench-")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["CUPADMIN_ALLOWED_NETWORKS"] = "127.0.0.0/8"
    os.environ["CUPADMIN_DEBUG"] = "0"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def seconds(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


# A sweep has one time for the peers of each of its steps.
SEEN = [datetime(2026, 3, 1, 14, minute, tzinfo=UTC) for minute in range(12)]


def invented(size: int) -> Any:
    """A mesh that is in no database, every seventh entry missing."""
    from clusters.models import Cluster
    from mesh.matrix import Cell, Mesh
    from peers.models import Peer

    clusters = [Cluster(name=f"cluster-{n:02}-europe") for n in range(size)]
    outcomes = ["passed"] * 5 + ["failed", "warning", "unknown"]
    rows = []
    for y, home in enumerate(clusters):
        cells = []
        for x, remote in enumerate(clusters):
            peer = None
            if x != y and (x * size + y) % 7:
                chosen = outcomes[(x * y) % len(outcomes)]
                users = uuid.uuid4().int % 9_000
                peer = Peer(
                    outcome=chosen,
                    associated_users=users,
                    remote_users=9_000,
                    checked_at=SEEN[(x + y) % len(SEEN)],
                )
            cells.append(Cell(home, remote, peer, one_sided=(x + y) % 11 == 0))
        rows.append((home, cells))
    return Mesh(clusters, rows)


def bare(mesh: Any) -> str:
    """The same cells by bare formatting: no escaping, no look-ups that can fail."""
    from django.templatetags.static import static

    sprite = static("icons.svg")
    words = {"passed": "Passed", "failed": "Failed", "warning": "Warning"}
    plus = f'<svg class="icon icon-plus"><use href="{sprite}#plus"/></svg>'
    drawn = []
    for home, cells in mesh.rows:
        url = f"/administration/system/clusters/{home.pk}/"
        drawn.append(
            f'<tr><th scope="row"><a href="{url}" title="{home.name}">{home.name}</a>'
            "</th>"
        )
        for cell in cells:
            peer = cell.peer
            if peer:
                kind = peer.outcome
                half = " half" if cell.one_sided else ""
                reported = ", no matching entry" if cell.one_sided else ""
                drawn.append(
                    f'<td class="{kind}{half}"><a href="/administration/presence/'
                    f'inter-clustering/{peer.pk}/" title="{home.name} to '
                    f"{cell.remote.name}: {words.get(kind, 'Unknown')}{reported}, "
                    f"{peer.associated_users} of {peer.remote_users} users, "
                    f'checked {peer.checked_at:%Y-%m-%d %H:%M} UTC">'
                    f'<svg class="icon icon-{kind}"><use href="{sprite}#{kind}"/>'
                    "</svg></a></td>"
                )
            elif cell.home is cell.remote:
                reported = f"Health of {home.name}: Unknown"
                drawn.append(
                    f'<td class="self unknown">'
                    f'<span role="img" aria-label="{reported}" '
                    f'title="{reported}"><svg class="icon icon-unknown">'
                    f'<use href="{sprite}#unknown"/></svg></span></td>'
                )
            else:
                drawn.append(
                    '<td class="none"><a href="/administration/presence/mesh/set-up/'
                    f'?one={home.pk}&amp;other={cell.remote.pk}" title="Set up the '
                    f'missing peer of {home.name} to {cell.remote.name}">{plus}</a>'
                    "</td>"
                )
        drawn.append("</tr>")
    return "".join(drawn)


def measure_matrix() -> bool:
    from bench.contest import verdict
    from mesh.matrix_html import MatrixDrawing

    mesh = invented(MATRIX)
    html = MatrixDrawing(mesh, offering=True).html()
    if bare(mesh) not in html:
        raise SystemExit("The two matrices differ, so they cannot be compared.")
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(seconds(lambda: MatrixDrawing(mesh, offering=True).html()))
        theirs.append(seconds(lambda: bare(mesh)))
    mine, floor = statistics.median(ours), statistics.median(theirs)
    size = len(gzip.compress(html.encode())) / 1000
    print(f"\nMatrix of {MATRIX} x {MATRIX}")
    print(f"  ours {mine * 1000:.1f} ms, bare formatting {floor * 1000:.1f} ms")
    held = [
        verdict("matrix to bare formatting", mine / floor, 3),
        verdict("matrix compressed, kB", size, 200),
    ]
    return all(held)


def lab(directory: str, clusters: int) -> subprocess.Popen[bytes]:
    """Start the lab in a process of its own, so that it does not count as ours."""
    shape = ["--clusters", str(clusters), "--nodes", "1", "--users", "5"]
    more = ["--network", "auto", "--shared-key", "--state", directory]
    command = [sys.executable, "-m", "lab", *shape, *more]
    running = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert running.stdout is not None
    while b"ready" not in running.stdout.readline():
        pass
    return running


def register_all(directory: str) -> list[Any]:
    from django.conf import settings

    from clusters.models import Cluster
    from tests.conftest import register

    described = json.loads(Path(directory, "lab.json").read_text())
    settings.DNS_SERVERS = [described["dns"]]
    for one in described["clusters"]:
        cluster = register(one)
        Cluster.objects.filter(pk=cluster.pk).update(version=one["version"])
    return list(Cluster.objects.prefetch_related("nodes"))


def floor(clusters: list[Any], calls: int) -> float:
    """As many questions to the publishers, as many at once, that are not looked at."""
    import wire
    from clusters.connections import address_of
    from wire import AxlClient, gather_limited

    addresses = [address_of(cluster.publisher) for cluster in clusters]

    async def ask(address: Any) -> None:
        async with AxlClient(address) as axl:
            await axl.probe()

    started = time.perf_counter()
    asks = (ask(addresses[n % len(addresses)]) for n in range(calls))
    wire.run_loop(gather_limited(asks, limit=len(addresses) // 2))
    return time.perf_counter() - started


def apply_mesh(clusters: list[Any]) -> tuple[Any, float]:
    """Set up the whole mesh; the worker is this process."""
    from accounts.audit import CONSOLE
    from jobs.engine import perform_job
    from jobs.models import Job
    from mesh import applying
    from mesh.intent import MeshIntent
    from mesh.plan import plan_mesh

    started = time.perf_counter()
    expected = MeshIntent.whole_mesh(clusters)
    found = plan_mesh(expected)
    planned = time.perf_counter() - started
    job = applying.apply_plan(expected, found.hash, CONSOLE)
    print(
        f"  plan {planned:.1f} s, "
        f"submit {time.perf_counter() - started - planned:.1f} s"
    )
    while job.active:
        perform_job(str(job.pk))
        for child in Job.objects.active().filter(kind="control-services"):
            perform_job(str(child.pk))
        job.refresh_from_db()
        Job.objects.filter(pk=job.pk).update(not_before=job.created_at)
    return job, time.perf_counter() - started


def measure_set_up(size: int) -> bool:
    from peers.models import Peer, PeerOutcome

    entries = size * (size - 1)
    print(f"\nWhole mesh of {size} lab clusters, {entries} entries")
    with tempfile.TemporaryDirectory() as directory:
        running = lab(directory, size)
        try:
            clusters = register_all(directory)
            job, took = apply_mesh(clusters)
            # An entry is read, written and read back by three questions at least.
            least = floor(clusters, entries * 3)
        finally:
            running.terminate()
            running.wait()
    passed = Peer.objects.filter(outcome=PeerOutcome.PASSED).count()
    print(f"  {job.state} {job.error}".rstrip())
    print(f"  {passed} of {entries} entries with all check marks")
    print(f"  set up in {took:.1f} s, floor of its questions {least:.1f} s")
    return job.state == job.State.SUCCEEDED and passed == entries


if __name__ == "__main__":
    prepare()
    size = int(sys.argv[1]) if sys.argv[1:] else CLUSTERS
    sys.exit(not all([measure_matrix(), measure_set_up(size)]))
