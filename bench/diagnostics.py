"""A run of the troubleshooter at scale.

`python -m bench.diagnostics judge` judges a mesh of 60 x 60 peers with 4.5 million
users counted; prints CPU time and peak memory. `python -m bench.diagnostics collect`
collects 60 lab clusters of two nodes at 50 ms round trip, beside the slowest of them
alone, and prints the ratio: once with the lab's own DNS server, and once with a dead
one before it.
"""

import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wire import spare_collector

CLUSTERS = int(os.environ.get("BENCH_CLUSTERS", "60"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))


def set_up() -> None:
    os.environ["CUPADMIN_DATA_DIR"] = tempfile.mkdtemp(prefix="cupadmin-bench-")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cupadmin.settings")
    os.environ["CUPADMIN_ALLOWED_NETWORKS"] = "127.0.0.0/8"
    import django

    django.setup()
    spare_collector()


def big_mesh():
    from diagnostics.answers import Answer
    from diagnostics.facts import Facts, ProcessNode
    from tests.diagnostics.healthy import NOW, cluster, entry, node, peer

    numbers = range(1, CLUSTERS + 1)
    users = {f"cup{n}-{m}.example.com": 37_500 for n in numbers for m in (1, 2)}
    clusters, peers = {}, {}
    for n in numbers:
        others = [other for other in numbers if other != n]
        names = tuple(ProcessNode(f"cup{n}-{m}.example.com", m == 1) for m in (1, 2))
        made = cluster(
            n,
            others[0],
            nodes=(node(n, 1, True), node(n, 2)),
            users=Answer(users),
            process_nodes=Answer(names),
            peers=Answer(tuple(entry(f"10.0.{other}.1") for other in others)),
        )
        clusters[made.id] = made
        for other in others:
            one = peer(n, other)
            peers[one.id + f"-{n}"] = one
    peers = {f"{p.home}>{p.remote}": p for p in peers.values()}
    return Facts(
        NOW, clusters, peers, held={(p.home, p.remote): p for p in peers.values()}
    )


def judge() -> None:
    from diagnostics.judge.sections import judge_facts

    facts = big_mesh()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    count = sum(1 for _ in judge_facts(facts))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(f"peers {len(facts.peers)}, results {count}")
    print(f"CPU {usage.ru_utime - before:.2f} s, peak {usage.ru_maxrss / 1024:.0f} MB")


def collect() -> None:
    # A process of its own: in ours the lab would share the interpreter's lock.
    state = Path(tempfile.mkdtemp(prefix="cupadmin-bench-lab-"))
    command = [sys.executable, "-m", "lab", "--state", str(state)]
    options = ["--clusters", str(CLUSTERS), "--network", "auto", "--users", "20"]
    lab = subprocess.Popen([*command, *options, "--shared-key"])
    # It takes questions and never answers one.
    dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dead.bind(("127.0.0.1", 0))
    try:
        described = state / "lab.json"
        while not described.exists():
            time.sleep(0.1)
        subprocess.run([*command, "fault", "set", "lab", "latency=50"], check=True)
        reported = json.loads(described.read_text())
        servers = (reported["dns"],)
        compare("the lab's DNS", reported, servers)
        compare("a dead server first", reported, (address_of(dead), *servers))
    finally:
        dead.close()
        lab.terminate()
        lab.wait()
        theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"the lab's CPU in all {theirs.ru_utime + theirs.ru_stime:.1f} s")


def address_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()
    return f"{host}:{port}"


def compare(what: str, described, servers: tuple[str, ...]) -> None:
    """Time the slowest cluster alone and all of them together."""
    targets, peers = targets_of(described, servers)
    timed(targets, peers)
    # Every tenth cluster alone, with its own peer: the slowest is what counts.
    some = range(0, CLUSTERS, max(CLUSTERS // 10, 1))
    alone = max(timed(targets[n : n + 1], peers[n : n + 1]) for n in some)
    cpu = time.process_time()
    together = statistics.median(timed(targets, peers) for _ in range(ROUNDS))
    cpu = (time.process_time() - cpu) / ROUNDS
    print(
        f"{what}: slowest cluster {alone:.2f} s, {CLUSTERS} clusters {together:.2f} s"
    )
    print(f"ratio {together / alone:.2f}, our CPU {cpu:.2f} s in a run")


def targets_of(described, servers: tuple[str, ...]):
    from dataclasses import replace

    from clusters.connections import cluster_policy
    from diagnostics.node_addresses import (
        ClusterTarget,
        NodeTarget,
        PeerTarget,
    )
    from wire import NodeAddress, PeerTable, Secret, Trust

    requested = replace(cluster_policy(), dns_servers=servers)
    targets = []
    for reported in described["clusters"]:
        nodes = tuple(
            NodeTarget(
                one["address"],
                one["name"],
                one["role"] == "publisher",
                one["fingerprint"],
                NodeAddress(
                    name=one["name"],
                    address=one["address"],
                    username=reported["axl_username"],
                    password=Secret(reported["axl_password"]),
                    trust=Trust(one["fingerprint"]),
                    policy=requested,
                    generation=reported["generation"],
                ),
            )
            for one in reported["nodes"]
        )
        table = PeerTable.from_dict(reported["peer_table"])
        targets.append(
            ClusterTarget(
                reported["name"],
                reported["name"],
                "",
                reported["generation"],
                True,
                table,
                nodes,
            )
        )
    peers = [
        PeerTarget(
            f"{home.id}>{remote.id}",
            home.id,
            remote.id,
            remote.nodes[0].address.address,
            "intercluster",
            Secret("wrong"),
            "TCP",
            "",
            remote.nodes,
            requested,
        )
        for home, remote in zip(targets, targets[1:] + targets[:1], strict=True)
    ]
    return targets, peers


def timed(targets, peers) -> float:
    from dataclasses import replace

    from diagnostics.collect import gather_facts as collect_facts
    from wire import Unlimited

    requested = [
        replace(
            target,
            nodes=tuple(replace(node, limiter=Unlimited()) for node in target.nodes),
        )
        for target in targets
    ]
    started = time.monotonic()
    facts = collect_facts(requested, peers, deep=True)
    elapsed = time.monotonic() - started
    assert all(c.users.known for c in facts.clusters.values())
    return elapsed


if __name__ == "__main__":
    set_up()
    {"judge": judge, "collect": collect}[sys.argv[1]]()
