"""The matrix of 60 clusters, and a whole mesh of lab clusters set up by its job.

`python -m bench.mesh [CLUSTERS]` in a folder of its own; needs the lab's loopback
addresses.
"""

import gzip
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
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
    began = time.process_time()
    work()
    return time.process_time() - began


def invented(size: int) -> Any:
    """A mesh that is in no database, every seventh entry missing."""
    from mesh.matrix import Cell, Mesh
    from peers.models import Cluster, Peer

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
                peer = Peer(outcome=chosen, associated_users=users, remote_users=9_000)
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
                told = ", no entry back" if cell.one_sided else ""
                drawn.append(
                    f'<td class="{kind}{half}"><a href="/administration/presence/'
                    f'inter-clustering/{peer.pk}/" title="{home.name} to '
                    f"{cell.remote.name}: {words.get(kind, 'Unknown')}{told}, "
                    f'{peer.associated_users} of {peer.remote_users} users">'
                    f'<svg class="icon icon-{kind}"><use href="{sprite}#{kind}"/>'
                    "</svg></a></td>"
                )
            elif cell.home is cell.remote:
                told = f"Health of {home.name}: Unknown"
                drawn.append(
                    f'<td class="self unknown"><span role="img" aria-label="{told}" '
                    f'title="{told}"><svg class="icon icon-unknown">'
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
    from mesh.drawing import Drawing

    mesh = invented(MATRIX)
    html = Drawing(mesh, offering=True).html()
    if bare(mesh) not in html:
        raise SystemExit("The two matrices differ, so they cannot be compared.")
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(seconds(lambda: Drawing(mesh, offering=True).html()))
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


if __name__ == "__main__":
    prepare()
    sys.exit(not measure_matrix())
