"""A year of 60 x 60 peers beside its first week: size, sweep and pages.

`python -m bench.year`: on SQLite, and on the PostgreSQL that
CUPADMIN_BENCH_POSTGRES names, in databases of its own. Two consoles, one a week old and
one a year, are asked the same in turns; what takes a tenth longer after the year is
missed. bench/aging.py says what a day leaves. CUPADMIN_BENCH_FOLDER keeps the consoles
on SQLite, 4 GB, for the next time.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bench import aging, console

WEEK, YEAR = 7, 366
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "15"))
GOAL = 1.10
# So many milliseconds are less than what two runs of the same work differ by.
LEAST = 2.0
# What takes long is measured less often, and varies less.
LONGEST = 45_000.0
POSTGRES = os.environ.get("CUPADMIN_BENCH_POSTGRES", "")
DATABASE = "cupadmin_bench_year"
FOLDER = os.environ.get("CUPADMIN_BENCH_FOLDER", "")
# Pages that a week does not fill: they show more after a year, and are only measured.
FULLER = (
    "timeline of a peer",
    "timeline of a cluster",
    "proofs of a peer",
    "sizing",
    "history of a peer, by day",
    "history of a cluster, by day",
    "history of all peers, by day",
)


# --- One console ---------------------------------------------------------------------


def serve_console(days: int, folder: str, database: str) -> None:
    """Fill a console, and then do each work of a line of the input once."""
    console.prepare(folder, database)
    from django.contrib.auth.models import User

    from clusters.models import Cluster

    if not Cluster.objects.exists():
        aging.fill_console(days)
    User.objects.filter(username="bench").delete()
    works = {**page_works(), "a sweep: store, count, look for changes": sweep_work()}
    for work in works.values():
        work()
    say({"works": list(works), "size": database_size(), "rows": row_counts()})
    for line in sys.stdin:
        started = console.spent()
        works[line.strip()]()
        say(console.spent() - started)


def say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


def page_works() -> dict[str, Callable[[], object]]:
    from django.urls import reverse

    from bench.lists import cookie
    from clusters.models import Cluster
    from peers.models import Peer

    peer = Peer.objects.select_related("cluster").order_by("address", "id")[1234]
    cluster = Cluster.objects.order_by("name")[17]
    pages = {
        "overview": ("home", []),
        "problems": ("overview:problems", []),
        "peers": ("peers:find", []),
        "a peer": ("peers:edit_peer", [peer.pk]),
        "status of a peer": ("diagnostics:peer_status", [peer.pk]),
        "history of a peer": ("history:peer", [peer.pk]),
        "history of a cluster": ("history:cluster", [cluster.pk]),
        "history of all peers": ("history:everything", []),
        "timeline of a peer": ("history:peer_timeline", [peer.pk]),
        "timeline of a cluster": ("history:cluster_timeline", [cluster.pk]),
        "proofs of a peer": ("proof:history", [peer.pk]),
        "jobs": ("jobs:find", []),
        "audit log": ("accounts:audit", []),
        "troubleshooter": ("diagnostics:troubleshooter", []),
        "comparisons": ("directory:comparisons", []),
        "a comparison": ("directory:comparison", [peer.pk]),
        "sizing": ("sizing:show", []),
        "REST: jobs": ("api:jobs-list", []),
    }
    head = {"HTTP_COOKIE": cookie()}
    works: dict[str, Callable[[], object]] = {}
    for name, (view, arguments) in pages.items():
        ask = console.asking(reverse(view, args=arguments), **head)
        works[name] = lambda ask=ask: ask("")
    for title in ("history of a peer", "history of a cluster", "history of all peers"):
        view, arguments = pages[title]
        ask = console.asking(reverse(view, args=arguments), **head)
        works[f"{title}, by day"] = lambda ask=ask: ask("range=year")
    return works


def sweep_work() -> Callable[[], object]:
    """The bookkeeping of a sweep whose clusters have answered."""
    from diagnostics.near import PEERS_AT_ONCE, split_groups
    from diagnostics.results_store import record_clusters, record_peers
    from history.events import record_changes
    from history.rollup import roll_up
    from notifications.detect import detect_changes
    from overview.renewal import renew_problems

    mesh = facts_of_mesh()

    def store_sweep() -> None:
        facts = replace(mesh, at=datetime.now(UTC))
        record_clusters(facts)
        for group in split_groups(list(facts.peers.items()), PEERS_AT_ONCE):
            record_peers(replace(facts, peers=dict(group)))
        for step in (roll_up, record_changes, renew_problems, detect_changes):
            step()

    return store_sweep


def facts_of_mesh() -> Any:
    """What the clusters of the database would answer, all in order."""
    from clusters.models import Cluster
    from diagnostics.answers import Answer
    from diagnostics.facts import Facts, ProcessNode
    from peers.models import Peer
    from tests.diagnostics import healthy

    rows = list(Cluster.objects.prefetch_related("nodes"))
    rows.sort(key=lambda one: int(one.name.removeprefix("cup")))
    names = [node.name for row in rows for node in row.nodes.all()]
    users = Answer(dict.fromkeys(names, 37_500))
    clusters = {}
    for n, row in enumerate(rows, 1):
        others = [m for m in range(1, len(rows) + 1) if m != n]
        nodes = sorted(row.nodes.all(), key=lambda one: one.name)
        clusters[str(row.pk)] = healthy.cluster(
            n,
            others[0],
            id=str(row.pk),
            nodes=tuple(
                replace(healthy.node(n, m, m == 1), id=str(node.pk))
                for m, node in enumerate(nodes, 1)
            ),
            users=users,
            process_nodes=Answer(
                tuple(ProcessNode(node.name, node is nodes[0]) for node in nodes)
            ),
            peers=Answer(tuple(healthy.entry(f"10.0.{m}.1") for m in others)),
        )
    peers = {
        str(row.pk): healthy.peer(
            1,
            int(row.address.split(".")[2]),
            id=str(row.pk),
            home=str(row.cluster_id),
            remote=str(row.remote_cluster_id),
        )
        for row in Peer.objects.all()
    }
    held = {(one.home, one.remote): one for one in peers.values()}
    return Facts(datetime.now(UTC), clusters, peers, held=held)


def database_size() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            pages = "pragma_page_count, pragma_page_size"
            cursor.execute(f"select page_count * page_size from {pages}")
        else:
            cursor.execute("select pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def row_counts() -> dict[str, int]:
    from django.apps import apps

    counts = {
        model._meta.db_table: model._base_manager.count() for model in apps.get_models()
    }
    return {name: count for name, count in counts.items() if count > 5000}


# --- Two consoles in turns -----------------------------------------------------------


class AgedConsole:
    """A console of some age in a process of its own."""

    def __init__(self, days: int, folder: str, database: str) -> None:
        command = [sys.executable, "-m", "bench.year", "serve", str(days), folder]
        self.process = subprocess.Popen(
            [*command, database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def answer(self, line: str = "") -> Any:
        assert self.process.stdin and self.process.stdout
        if line:
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()
        text = self.process.stdout.readline()
        if not text:
            raise SystemExit("a console has ended")
        return json.loads(text)

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def compare_ages(folder: str, urls: list[str], name: str) -> bool:
    ages = (WEEK, YEAR)
    consoles = [
        AgedConsole(days, os.path.join(folder, str(days)), url)
        for days, url in zip(ages, urls, strict=True)
    ]
    try:
        week, year = (one.answer() for one in consoles)
        print_sizes(name, week, year)
        results = [print_work(work, *consoles) for work in year["works"]]
    finally:
        for one in consoles:
            one.close()
    return all(results)


def print_sizes(name: str, week: dict[str, Any], year: dict[str, Any]) -> None:
    print(f"\n{name:<44}{'a week':>12}{'a year':>12}{'ratio':>8}")
    early, late = (one["size"] / 1e6 for one in (week, year))
    print(f"  {'size, MB':<42}{early:12,.0f}{late:12,.0f}{late / early:8.2f}")
    for table, count in sorted(year["rows"].items(), key=lambda one: -one[1]):
        before = week["rows"].get(table, 0)
        print(f"  {'rows of ' + table:<42}{before:12,}{count:12,}")


def print_work(work: str, young: AgedConsole, old: AgedConsole) -> bool:
    took: list[list[float]] = [[], []]
    while len(took[1]) < ROUNDS and sum(took[1]) < LONGEST:
        for times, one in zip(took, (young, old), strict=True):
            times.append(one.answer(work) * 1000)
    # What else the machine does only adds: the least is what the work itself takes.
    early, late = map(min, took)
    passed = late <= max(GOAL * early, early + LEAST)
    verdict = "PASS" if passed else "missed"
    if work in FULLER:
        passed, verdict = True, "shows more"
    line = f"  {work + ', CPU ms':<42}{early:12.1f}{late:12.1f}{late / early:8.2f}"
    print(f"{line}  {verdict}", flush=True)
    return passed


@contextlib.contextmanager
def own_databases(server: str) -> Iterator[list[str]]:
    import psycopg

    names = [f"{DATABASE}_{days}" for days in (WEEK, YEAR)]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        for name in names:
            connection.execute(f"drop database if exists {name}")
            connection.execute(f"create database {name}")
        try:
            yield [f"{server}/{name}" for name in names]
        finally:
            for name in names:
                connection.execute(f"drop database {name} with (force)")


def main() -> None:
    results = []
    with tempfile.TemporaryDirectory() as folder:
        results.append(compare_ages(FOLDER or folder, ["", ""], "SQLite"))
    if POSTGRES:
        with own_databases(POSTGRES) as urls, tempfile.TemporaryDirectory() as folder:
            results.append(compare_ages(folder, urls, "PostgreSQL"))
    sys.exit(not all(results))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve_console(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    else:
        main()
