"""A snapshot of 75,000 users against merely reading the same answers.

`python -m bench.snapshot` runs, each in a process of its own and all against the same
publisher: the bytes of its answers, downloaded and forgotten; the same answers read
into rows by the wire and forgotten; and the whole job, from its row in the database
to the stored snapshot and the compared peer. It does so for several paces of the
publisher, in users a second. 0 is a publisher that needs no time at all, which none
is: it shows what the processor does.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

from bench import contest
from bench.server import address
from directory.jobs.snapshot import SnapshotDirectory

BYTES = "the answers' bytes"
ROWS = "the answers' rows, by the wire"
JOB = "the whole job"
MOST = 1.2
PACES = (5_000, 20_000, 0)


def node(fingerprint: str):
    from ipaddress import ip_network

    from wire import NodeAddress, Policy, Secret, Trust

    return NodeAddress(
        "bench.example",
        address(0),
        username="axl",
        password=Secret("password"),
        trust=Trust(fingerprint=fingerprint),
        policy=Policy(networks=(ip_network("127.0.0.0/8"),)),
        axl_version="8.5",
    )


def queries():
    """What a snapshot asks for."""
    from dataclasses import replace

    from bench.publisher import COLUMNS
    from wire import sql

    users = sql.select_query("users", "enduser", COLUMNS, order_by="pkid")
    return [
        sql.build_query("process_nodes"),
        sql.build_query("enterprise_nodes"),
        sql.build_query("columns_of", table="enduser"),
        replace(users, large=True),
    ]


def rows(fingerprint: str, users: int) -> dict:
    from wire import AxlClient, run_loop

    async def read() -> int:
        count = 0
        async with AxlClient(node(fingerprint)) as axl:
            for query in queries():
                count = 0
                async for _ in axl.rows(query, deadline=600):
                    count += 1
        return count

    return timed(lambda: run_loop(read()))


def download(fingerprint: str, users: int) -> dict:
    """The same requests on one connection, their answers unread."""
    from wire import AxlClient, Deadline, run_loop
    from wire.axl import TooLarge

    async def read() -> int:
        size = 0
        async with AxlClient(node(fingerprint)) as axl:

            async def ask(text: str) -> int:
                reply = await axl._read_reply(
                    "executeSQLQuery", Deadline(600), sql=text
                )
                return len(await reply.read())

            *small, large = queries()
            for query in small:
                await ask(query.whole)
            try:
                return await ask(large.whole)
            except TooLarge as error:
                step = error.suggested * 9 // 10
            skip = 0
            while (got := await ask(large.page(skip, step))) > step * 9:
                size, skip = size + got, skip + step
        return size + got

    return timed(lambda: run_loop(read()))


def job(fingerprint: str, users: int) -> dict:
    """The job as a worker does it, on the database of CUPADMIN_DATABASE_URL."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CUPADMIN_DATA_DIR"] = folder
        os.environ["CUPADMIN_ALLOWED_NETWORKS"] = "127.0.0.0/8"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cupadmin.settings")
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        from accounts.audit import CONSOLE
        from clusters.models import Cluster, Node
        from directory.models import Snapshot
        from jobs.engine import perform_job
        from jobs.models import Job
        from peers.models import Peer

        cluster = Cluster(name=f"bench{os.getpid()}", axl_username="axl")
        cluster.generation = "cup8"
        cluster.seal("axl_password", "password")
        cluster.save()
        Node.objects.create(
            cluster=cluster,
            name="bench.example",
            address=address(0),
            axl_version="8.5",
            certificate_fingerprint=fingerprint,
            certificate_state=Node.CertificateState.TRUSTED,
        )
        remote = read_before(users)
        Peer.objects.create(cluster=cluster, remote_cluster=remote, address="10.0.0.1")
        requested = SnapshotDirectory.submit([cluster], CONSOLE)
        reported = timed(lambda: perform_job(str(requested.pk)))
        requested.refresh_from_db()
        assert requested.state == Job.State.SUCCEEDED, requested.error
        stored = Snapshot.objects.get(cluster=cluster)
        assert cluster.peers.get().comparisons.count() == 1
        Cluster.objects.filter(pk__in=[cluster.pk, remote.pk]).delete()
        return reported | {"answer": stored.users}


def read_before(users: int):
    """A remote cluster whose users are known, as many and none of them the same."""
    from django.utils import timezone

    from clusters.models import Cluster, Node
    from directory import store
    from directory.column_builder import Builder
    from directory.columns import User
    from directory.models import Snapshot

    cluster = Cluster.objects.create(name=f"remote{os.getpid()}")
    node = Node.objects.create(cluster=cluster, name="far.example", address="10.0.0.1")
    builder = Builder()
    ids = [f"other.person{number}" for number in range(users)]
    builder.add([User(one, f"{one}@example.com", "", "", node.name) for one in ids])
    content = store.compress_pieces(builder.finish())
    store.save_snapshot(
        Snapshot(cluster=cluster, taken_at=timezone.now(), users=users), content
    )
    return cluster


def timed(work) -> dict:
    started, worked = time.perf_counter(), time.process_time()
    answer = work()
    return {
        "seconds": time.perf_counter() - started,
        "processor": time.process_time() - worked,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "answer": answer,
    }


WORK = {BYTES: download, ROWS: rows, JOB: job}


def measure(name: str, fingerprint: str, users: int) -> dict:
    command = [sys.executable, "-m", "bench.snapshot", "--contestant", name]
    command += [fingerprint, "--users", str(users)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def best(runs: list[dict]) -> dict:
    """The least of each figure: whatever else the machine does only adds to it."""
    names = ("seconds", "processor", "mb")
    return {name: min(run[name] for run in runs) for name in names}


def compete(users: int, pace: float, rounds: int) -> dict[str, dict]:
    """Take turns, so that whatever else the machine does meets all alike."""
    runs: dict[str, list[dict]] = {name: [] for name in WORK}
    with contest.server(users, pace, module="bench.publisher") as reported:
        for _ in range(rounds):
            for name, done in runs.items():
                done.append(measure(name, str(reported["fingerprint"]), users))
    for name in (ROWS, JOB):
        assert all(run["answer"] == users for run in runs[name]), runs[name]
    return {name: best(done) for name, done in runs.items()}


def show(pace: float, results: dict[str, dict]) -> bool:
    print(f"\nA publisher with {f'{pace:,.0f} users a second' if pace else 'no pace'}")
    print(f"  {'':<34}{'s':>8}{'ratio':>8}{'processor s':>13}{'peak MiB':>10}")
    base = results[ROWS]["seconds"]
    for name, one in results.items():
        print(
            f"  {name:<34}{one['seconds']:>8.2f}{one['seconds'] / base:>8.2f}"
            f"{one['processor']:>13.2f}{one['mb']:>10.0f}"
        )
    if not pace:
        return True
    ratio = results[JOB]["seconds"] / base
    return contest.verdict("the job against the answers' rows", ratio, MOST)


def main(options: argparse.Namespace) -> None:
    held = [
        show(pace, compete(options.users, pace, options.repeat))
        for pace in options.paces or PACES
    ]
    sys.exit(not all(held))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contestant", choices=WORK, nargs=1)
    parser.add_argument("fingerprint", nargs="?")
    parser.add_argument("--users", type=int, default=75_000)
    parser.add_argument("--paces", type=float, nargs="*", help="users a second")
    parser.add_argument("--repeat", type=int, default=5)
    chosen = parser.parse_args()
    if chosen.contestant:
        work = WORK[chosen.contestant[0]]
        print(json.dumps(work(chosen.fingerprint, chosen.users)))
    else:
        main(chosen)
