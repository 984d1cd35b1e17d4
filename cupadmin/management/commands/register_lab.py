"""Register the lab's clusters with the console, as an administrator would."""

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit import CONSOLE
from jobs.models import Job
from peers import changes
from peers.models import Cluster, Node, Outcome, Peer

PATIENCE = 90.0


class Command(BaseCommand):
    """Register, trust and discover each cluster; peer the first two, once."""

    help = "Register the clusters that FILE (the lab's description) names."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, file: Path, **options: Any) -> None:
        described = json.loads(file.read_text())["clusters"]
        fresh = [d for d in described if not Cluster.objects.filter(name=d["name"])]
        clusters = [register(description) for description in fresh]
        jobs = [changes.discover(cluster, CONSOLE) for cluster in clusters]
        for job in jobs:
            self.wait_for_job(job)
        for description in fresh:
            trust_all(description)
        if clusters and not Peer.objects.exists():
            self.peer_first_two(described)

    def peer_first_two(self, described: list[dict[str, Any]]) -> None:
        first, second = described[:2]
        peers = [add_peer(first, second), add_peer(second, first)]
        deadline = time.monotonic() + PATIENCE
        for peer in peers:
            while peer.outcome != Outcome.PASSED:
                if time.monotonic() > deadline:
                    raise CommandError(f"{peer} is not verified yet: see its page.")
                time.sleep(0.3)
                peer.refresh_from_db()
            self.stdout.write(f"  {peer}: verified")

    def wait_for_job(self, job: Job) -> None:
        deadline = time.monotonic() + PATIENCE
        while job.active:
            if time.monotonic() > deadline:
                raise CommandError(f"{job} is not finished yet: see its page.")
            time.sleep(0.2)
            job.refresh_from_db()
        self.stdout.write(f"  {job}: {job.get_state_display().lower()} {job.error}")


def register(description: dict[str, Any]) -> Cluster:
    """Store the cluster and its publisher, and confirm the publisher's certificate."""
    cluster = Cluster(
        name=description["name"],
        domain=description["domain"],
        description="Simulated",
        axl_username=description["axl_username"],
        provisioning=Cluster.Provisioning.DIRECT,
        peer_table=description.get("peer_table"),
    )
    cluster.seal("axl_password", description["axl_password"])
    cluster.save(force_insert=True)
    publisher = next(n for n in description["nodes"] if n["role"] == "publisher")
    ports = {name: value for name, value in publisher.items() if name.endswith("_port")}
    node = Node.objects.create(
        cluster=cluster,
        name=publisher["name"],
        address=publisher["address"],
        role=Node.Role.PUBLISHER,
        **ports,
    )
    changes.trust(node, publisher["fingerprint"], CONSOLE)
    return cluster


def trust_all(description: dict[str, Any]) -> None:
    """Give discovered nodes the lab's ports and confirm their certificates."""
    for told in description["nodes"]:
        node = Node.objects.get(
            cluster__name=description["name"], name=told["name"].lower()
        )
        ports = {name: value for name, value in told.items() if name.endswith("_port")}
        Node.objects.filter(pk=node.pk).update(address=told["address"], **ports)
        node.refresh_from_db()
        changes.trust(node, told["fingerprint"], CONSOLE)


def add_peer(home: dict[str, Any], remote: dict[str, Any]) -> Peer:
    publisher = next(n for n in remote["nodes"] if n["role"] == "publisher")
    peer = Peer(
        cluster=Cluster.objects.get(name=home["name"]),
        address=publisher["address"],
        username=remote["intercluster_username"],
    )
    changes.save_peer(peer, CONSOLE, password=remote["intercluster_password"])
    return peer
