"""The list of comparisons of 60 clusters: all peerings beside a tenth of them.

`python -m bench.comparisons [URL ...]`: on SQLite and on the PostgreSQL that
CUPADMIN_BENCH_POSTGRES names. A request goes through the WSGI application; the floor
reads the newest comparison of as many peers with a cursor and formats the rows, and is
the same work whatever the number of peerings. What grows is how many times the floor
the page takes.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from datetime import timedelta
from typing import Any

from bench import aging, console, lists

# Remote clusters of each cluster: 360 peerings, and all 3,540.
SIZES = (6, 59)
KEPT = 20
# The page also looks for users without a peering among what each cluster shows.
GOAL = 1.5
QUERIES = {"first page": "", "page 5": "page=5", "one outcome": "outcome=passed"}
SELECT = """select p.id, p.address, h.name, c.outcome, c.at, c.missing, c.extra
  from peers_peer p join clusters_cluster h on h.id = p.cluster_id
  join directory_comparison c on c.id = (select id from directory_comparison
    where peer_id = p.id order by at desc, id desc limit 1)
  order by p.address, p.id limit 50"""


def floor() -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(SELECT)
        return "".join(map(lists.line, cursor.fetchall()))


def fill_clusters() -> list[Any]:
    """Add clusters of two nodes."""
    from clusters.models import Cluster, Node

    homes = Cluster.objects.bulk_create(
        Cluster(name=f"cup{n:02d}") for n in range(console.CLUSTERS)
    )
    Node.objects.bulk_create(
        Node(cluster=home, name=name, address=name, role=role)
        for home in homes
        for role, name in zip(("publisher", "subscriber"), nodes_of(home), strict=True)
    )
    return homes


def nodes_of(cluster: Any) -> list[str]:
    return [f"{cluster.name}-{m}.example.com" for m in (1, 2)]


def read_users(homes: list[Any], end: int) -> None:
    """Store of each cluster its users and those of so many others."""
    from django.utils import timezone

    from directory.models import Snapshot

    size = len(homes)
    Snapshot.objects.all().delete()
    Snapshot.objects.bulk_create(
        Snapshot(
            cluster=home,
            taken_at=timezone.now(),
            users=75_000 * (end + 1),
            nodes={
                name: 37_500
                for step in range(end + 1)
                for name in nodes_of(homes[(n + step) % size])
            },
            own_nodes=nodes_of(home),
            size=0,
        )
        for n, home in enumerate(homes)
    )


def fill_peers(homes: list[Any], begin: int, end: int) -> None:
    """Add the peers of each cluster to those so many places after it."""
    from django.db import connection
    from django.utils import timezone

    from directory.comparison_history import mark_compared
    from directory.models import Comparison
    from peers.models import Peer

    peers = Peer.objects.bulk_create(
        Peer(
            cluster=home,
            remote_cluster=remote,
            address=f"{remote.name}-1.example.com",
            username="x",
        )
        for n, home in enumerate(homes)
        for step in range(begin, end + 1)
        for remote in [homes[(n + step) % len(homes)]]
    )
    now = timezone.now()
    for age in range(KEPT, -1, -1):
        points = [
            Comparison(
                peer=peer,
                at=now - age * timedelta(hours=6),
                outcome=aging.outcome_at(n),
                home_count=75_000,
                remote_count=75_000,
                **dict.fromkeys(("missing", "extra", "elsewhere", "settling"), 0),
            )
            for n, peer in enumerate(peers)
        ]
        Comparison.objects.bulk_create(points, batch_size=500)
    mark_compared(points)
    with connection.cursor() as cursor:
        cursor.execute("analyze")


def measure(database: str, directory: str) -> bool:
    console.prepare(directory, database)
    from django.db import connection
    from django.urls import reverse

    homes = fill_clusters()
    page = console.asking(reverse("directory:comparisons"), HTTP_COOKIE=lists.cookie())
    connection.settings_dict["CONN_MAX_AGE"] = None
    print(f"\n{connection.vendor + ', CPU ms':<32}{'ours':>8}{'floor':>8}{'ratio':>8}")
    before, ratios = 0, []
    for size in SIZES:
        fill_peers(homes, before + 1, size)
        read_users(homes, size)
        before = size
        ratios.append([row(page, size, *one) for one in QUERIES.items()])
    return all(list(map(grown, QUERIES, *ratios)))


def row(page: Any, size: int, name: str, query: str) -> float:
    mine, least = console.milliseconds(lambda: page(query), floor)
    title = f"{name}, {size * console.CLUSTERS:,} peerings"
    print(f"  {title:<30}{mine:8.1f}{least:8.1f}{mine / least:8.1f}", flush=True)
    return mine / least


def grown(name: str, early: float, late: float) -> bool:
    passed = late <= GOAL * early
    verdict = "PASS" if passed else "missed"
    print(f"  {name + ', all to a tenth':<46}{late / early:8.2f}  {verdict}")
    return passed


def main() -> None:
    with contextlib.ExitStack() as stack:
        urls = [""]
        if os.environ.get("CUPADMIN_BENCH_POSTGRES"):
            urls = stack.enter_context(lists.databases())
        command = [sys.executable, "-m", "bench.comparisons"]
        ended = [subprocess.run([*command, url]).returncode for url in urls]
    sys.exit(any(ended))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with tempfile.TemporaryDirectory() as folder:
            sys.exit(not measure(sys.argv[1], folder))
    main()
