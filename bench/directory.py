"""The directory at 60 clusters of 75,000 users: comparison, duplicates, locator.

`python -m bench.directory` makes the users, measures the console against the floor
(hash tables in C over the same users, as texts) and against a peer (Python sets over
the same texts), each in a process of its own, and prints the ratios.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FLOOR = Path(__file__).with_name("directory_floor.c")


def people(cluster: int, count: int, clusters: int):
    """The own users of a cluster: one in 10,000 is also the next cluster's."""
    for number in range(count):
        owner = cluster
        if number % 10_000 == 0:
            owner = (cluster + 1) % clusters
        name = f"first.last{owner:02d}.{number + (owner != cluster):06d}"
        yield name.upper() if owner != cluster else name


def remotes(cluster: int, peers: int, clusters: int) -> list[int]:
    return [(cluster + step) % clusters for step in range(1, peers + 1)]


def table(cluster: int, options: argparse.Namespace):
    """What a cluster has: its own users, and copies of which one in 10,000 lacks."""
    for name in people(cluster, options.users, options.clusters):
        yield cluster, name
    for remote in remotes(cluster, options.peers, options.clusters):
        found = people(remote, options.users, options.clusters)
        for number, name in enumerate(found):
            if number % 10_000 != 5:
                yield remote, name


def set_up(folder: Path) -> None:
    os.environ["CUPADMIN_DATA_DIR"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cupadmin.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def make(folder: Path, options: argparse.Namespace) -> None:
    """Store the snapshots as the job does, and the same users as texts."""
    set_up(folder)
    from django.utils import timezone

    from clusters.models import Cluster, Node
    from directory import store
    from directory.column_builder import Builder
    from directory.columns import User
    from directory.models import Snapshot
    from peers.models import Peer

    rows = [
        Cluster.objects.create(name=f"cluster{n:02d}") for n in range(options.clusters)
    ]
    for number, cluster in enumerate(rows):
        Node.objects.create(
            cluster=cluster, name=f"node{number}.x", address=f"10.0.0.{number}"
        )
    for number, home in enumerate(rows):
        for remote in remotes(number, options.peers, options.clusters):
            Peer.objects.create(
                cluster=home,
                remote_cluster=rows[remote],
                address=f"10.0.0.{remote}",
                username="x",
            )
    building = 0.0
    for number, cluster in enumerate(rows):
        with (folder / f"{number}.tsv").open("w") as text:
            builder, users = Builder(), []
            for home, name in table(number, options):
                uri, mail = f"{name}@example.com", f"{name}@mail.example.com"
                text.write(f"{home}\t{name}\t{uri}\t{mail}\n")
                users.append(User(name, uri, mail, name[-6:], f"node{home}.x", True))
        started = time.perf_counter()
        for start in range(0, len(users), 2048):
            builder.add(users[start : start + 2048])
        building += time.perf_counter() - started
        snapshot = Snapshot(
            cluster=cluster,
            taken_at=timezone.now(),
            users=len(builder),
            nodes=builder.counts(),
        )
        started = time.perf_counter()
        store.save_snapshot(snapshot, store.compress_pieces(builder.finish()))
        store.columns_of(snapshot)
        building += time.perf_counter() - started
    report(seconds=building)


def report(**figures: object) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({**figures, "mb": peak}))


def console(folder: Path, options: argparse.Namespace) -> None:
    """Everything the pages and the job compute, from the stored snapshots."""
    set_up(folder)
    from directory import duplicates
    from directory.comparison import compare_listings
    from directory.ownership import Directory
    from peers.models import Peer

    peers = list(Peer.objects.select_related("cluster"))
    started = time.perf_counter()
    directory = Directory()
    found = [duplicates.find_duplicates(directory, kind) for kind in duplicates.SHARED]
    twice = time.perf_counter() - started
    differ = 0
    for peer in peers:
        compared = compare_listings(directory, peer)
        differ += compared.different if compared else 0
    report(
        seconds=time.perf_counter() - started,
        duplicates_seconds=twice,
        answer=[sum(map(len, found)), differ],
    )


def locator(folder: Path, options: argparse.Namespace) -> None:
    """The whole answer to a request of the REST interface; the first one opens."""
    set_up(folder)
    from django.contrib.auth.models import Group, User
    from rest_framework.test import APIClient

    from accounts.models import ApiToken
    from accounts.roles import Role

    user = User.objects.create_user(f"bench{os.getpid()}")
    user.groups.add(Group.objects.get_or_create(name=Role.VIEWER.value)[0])
    client = APIClient(headers={"host": "localhost"})
    token = ApiToken.issue(user, "bench", Role.VIEWER)[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    times, work = [], []
    for number in range(41):
        person = options.users // 2 + 1
        name = f"first.last{number % options.clusters:02d}.{person:06d}"
        text = f"sip:{name}@example.com" if number % 2 else name
        started, worked = time.perf_counter(), time.process_time()
        answer = client.get("/api/v1/directory/locate/", {"user": text})
        times.append(time.perf_counter() - started)
        work.append(time.process_time() - worked)
        assert answer.status_code == 200, answer.content
    report(
        seconds=sorted(times[1:])[20],
        processor_seconds=sorted(work[1:])[20],
        first=times[0],
        worst=max(times[1:]),
    )


def sets(folder: Path, options: argparse.Namespace) -> None:
    """The peer: what a careful script does, with sets of lower-case texts."""
    started = time.perf_counter()
    tables: list[dict[int, set[str]]] = []
    seen: list[set[str]] = [set(), set(), set()]
    twice = differ = 0
    for number in range(options.clusters):
        homes: dict[int, set[str]] = {}
        with (folder / f"{number}.tsv").open() as text:
            for line in text:
                home, *values = line[:-1].lower().split("\t")
                homes.setdefault(int(home), set()).add(values[0])
                if int(home) == number:
                    for known, value in zip(seen, values, strict=True):
                        twice += value in known
                        known.add(value)
        tables.append(homes)
    for home, homes in enumerate(tables):
        for remote, copies in homes.items():
            if home != remote:
                differ += len(copies ^ tables[remote][remote])
    report(seconds=time.perf_counter() - started, answer=[twice, differ])


def floor(folder: Path, options: argparse.Namespace) -> None:
    program = folder / "floor"
    subprocess.run(["cc", "-O2", "-o", program, FLOOR], check=True)
    files = [str(folder / f"{n}.tsv") for n in range(options.clusters)]
    started = time.perf_counter()
    reported = subprocess.run([program, *files], check=True, capture_output=True)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    answer = [int(word) for word in reported.stdout.split()]
    print(json.dumps({"seconds": seconds, "answer": answer, "mb": peak}))


PARTS = {f.__name__: f for f in (make, console, locator, sets, floor)}


def run(part: str, folder: Path, options: argparse.Namespace) -> dict:
    """Measure one part in a process of its own."""
    numbers = [str(options.clusters), str(options.users), str(options.peers)]
    names = ["--clusters", "--users", "--peers"]
    words = [word for pair in zip(names, numbers, strict=True) for word in pair]
    done = subprocess.run(
        [sys.executable, "-m", "bench.directory", part, "--folder", folder, *words],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def median(part: str, folder: Path, options: argparse.Namespace) -> dict:
    runs = [run(part, folder, options) for _ in range(options.repeat)]
    return sorted(runs, key=lambda figures: figures["seconds"])[len(runs) // 2]


def show(name: str, figures: dict, base: dict | None) -> None:
    ratio = f"{figures['seconds'] / base['seconds']:6.2f}" if base else "      "
    print(f"{name:34}{figures['seconds']:9.3f} s{ratio}{figures['mb']:8} MB")


def main(options: argparse.Namespace) -> None:
    folder = Path(tempfile.mkdtemp(prefix="cupadmin-bench-"))
    total = options.clusters * options.users
    print(
        f"{options.clusters} clusters, {total:,} users of their own, copies of "
        f"{total * options.peers:,} on {options.clusters * options.peers:,} peers"
    )
    try:
        made = run("make", folder, options)
        base = median("floor", folder, options) if shutil.which("cc") else None
        if base:
            show("floor: hash tables in C", base, base)
        ours = median("console", folder, options)
        show("console: all lists", ours, base)
        show("peer: Python sets", run("sets", folder, options), base)
        found = run("locator", folder, options)
        show("console: locator, one request", found, None)
        found["seconds"] = found["processor_seconds"]
        show("console: locator, processor time", found, None)
        show("console: making all snapshots", made, None)
        if base and base["answer"][1] != ours["answer"][1]:
            raise SystemExit(f"answers differ: {base['answer']} {ours['answer']}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", choices=PARTS)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--clusters", type=int, default=60)
    parser.add_argument("--users", type=int, default=75_000, help="own, per cluster")
    parser.add_argument("--peers", type=int, default=1, help="per cluster")
    parser.add_argument("--repeat", type=int, default=5)
    chosen = parser.parse_args()
    if chosen.part:
        PARTS[chosen.part](chosen.folder, chosen)
    else:
        main(chosen)
