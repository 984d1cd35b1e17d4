"""Register the lab's clusters with the console, as an administrator would."""

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit import CONSOLE
from clusters import certificates, editing
from clusters.jobs.discover import DiscoverCluster
from clusters.models import AddressScheme, Cluster, Node
from diagnostics.jobs.sweep import Sweep
from jobs.models import Job
from peers import lifecycle
from peers.models import Peer, PeerOutcome
from proof import canaries

JOBS_TIMEOUT = 90.0


PORTS = ("axl_port", "sip_port", "sip_tls_port", "sip_peer_tls_port")


class Command(BaseCommand):
    """Register, trust and discover each cluster; peer the first two, once."""

    help = "Register the clusters that FILE (the lab's description) names."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--first",
            action="store_true",
            help="only the first cluster, guided; its neighbours are to be found",
        )

    def handle(self, file: Path, *, first: bool = False, **options: Any) -> None:
        described = json.loads(file.read_text())["clusters"]
        if first:
            self.register_first(described[0])
            return
        fresh = [d for d in described if not Cluster.objects.filter(name=d["name"])]
        clusters = [register_cluster(description) for description in fresh]
        jobs = [DiscoverCluster.submit(cluster, CONSOLE) for cluster in clusters]
        for job in jobs:
            self.wait_for_job(job)
        for description in fresh:
            trust_all(description)
        if clusters and not Peer.objects.exists():
            self.peer_first_two(described)
        for description in fresh:
            name_canary(description)

    def register_first(self, description: dict[str, Any]) -> None:
        """Register one cluster as its administrator would, and read it."""
        if Cluster.objects.exists():
            return
        cluster = register_cluster(
            description, provisioning=Cluster.Provisioning.GUIDED
        )
        self.wait_for_job(DiscoverCluster.submit(cluster, CONSOLE))
        trust_all(description)
        if sweep := Sweep.submit_when_free():
            self.wait_for_job(sweep)

    def peer_first_two(self, described: list[dict[str, Any]]) -> None:
        first, second = described[:2]
        peers = [add_peer(first, second), add_peer(second, first)]
        deadline = time.monotonic() + JOBS_TIMEOUT
        for peer in peers:
            while peer.outcome != PeerOutcome.PASSED:
                if time.monotonic() > deadline:
                    raise CommandError(f"{peer} is not verified yet: see its page.")
                time.sleep(0.3)
                peer.refresh_from_db()
            self.stdout.write(f"  {peer}: verified")

    def wait_for_job(self, job: Job) -> None:
        deadline = time.monotonic() + JOBS_TIMEOUT
        while job.active:
            if time.monotonic() > deadline:
                raise CommandError(f"{job} is not finished yet: see its page.")
            time.sleep(0.2)
            job.refresh_from_db()
        self.stdout.write(f"  {job}: {job.get_state_display().lower()} {job.error}")


def register_cluster(
    description: dict[str, Any], provisioning: str = Cluster.Provisioning.DIRECT
) -> Cluster:
    """Store the cluster and its publisher, and confirm the publisher's certificate."""
    cluster = Cluster(
        name=description["name"],
        domain=description["domain"],
        address_scheme=AddressScheme.USER_ID,
        description="Simulated",
        axl_username=description["axl_username"],
        peering_username=description["intercluster_username"],
        provisioning=provisioning,
        peer_table=description.get("peer_table"),
    )
    publisher = next(n for n in description["nodes"] if n["role"] == "publisher")
    by_pages = description.get("pages") and cluster.direct
    if by_pages:
        use_pages(cluster, description, publisher)
    if os_username := description.get("os_username"):
        cluster.os_username = os_username
        cluster.pages_port = platform_port(description, publisher)
    ports = {name: publisher[name] for name in PORTS}
    node = Node(
        name=publisher["name"],
        address=publisher["address"],
        role=Node.Role.PUBLISHER,
        **ports,
    )
    editing.save_cluster(
        cluster,
        CONSOLE,
        password=description["axl_password"],
        peering_password=description["intercluster_password"],
        pages_password=description["pages_password"] if by_pages else "",
        os_password=description.get("os_password") or "",
        publisher=node,
    )
    certificates.trust_certificate(node, publisher["fingerprint"], CONSOLE)
    return cluster


def use_pages(
    cluster: Cluster, description: dict[str, Any], publisher: dict[str, Any]
) -> None:
    """Have the console use the cluster's own pages, under their account in the lab."""
    cluster.provisioning = Cluster.Provisioning.PAGES
    cluster.pages_username = description["pages_username"]
    cluster.pages_port = publisher["pages_port"]


def platform_port(description: dict[str, Any], publisher: dict[str, Any]) -> int:
    """The port of the pages where all nodes have the same, otherwise that of AXL.

    A process without rights cannot open 443, and then each node has another port.
    """
    ports = {node.get("pages_port") for node in description["nodes"]}
    port = ports.pop() if len(ports) == 1 else None
    return int(port or publisher["axl_port"])


def trust_all(description: dict[str, Any]) -> None:
    """Give discovered nodes the lab's ports and confirm their certificates."""
    for described in description["nodes"]:
        node = Node.objects.get(
            cluster__name=description["name"], name=described["name"].lower()
        )
        fields = ("address", *PORTS)
        if changed := [
            name for name in fields if getattr(node, name) != described[name]
        ]:
            for name in changed:
                setattr(node, name, described[name])
            editing.save_node(node, CONSOLE, fields=changed)
        certificates.trust_certificate(node, described["fingerprint"], CONSOLE)


def name_canary(description: dict[str, Any]) -> None:
    """Name the first user of the publisher, where the lab carries presence."""
    cluster = Cluster.objects.get(name=description["name"])
    with_presence = [one for one in description["nodes"] if one.get("presence_port")]
    if not with_presence or not description.get("canary"):
        return
    given = {
        "userid": description["canary"],
        "presence_username": description["presence_username"],
        "presence_password": description["presence_password"],
        "presence_port": with_presence[0]["presence_port"],
    }
    canaries.save_canary(cluster, given, CONSOLE)
    for one in with_presence:
        node = Node.objects.get(cluster=cluster, name=one["name"].lower())
        canaries.trust_service(node, "cup", one["presence_fingerprint"], CONSOLE)


def add_peer(home: dict[str, Any], remote: dict[str, Any]) -> Peer:
    publisher = next(n for n in remote["nodes"] if n["role"] == "publisher")
    peer = Peer(
        cluster=Cluster.objects.get(name=home["name"]),
        address=publisher["name"],
        username=remote["intercluster_username"],
    )
    lifecycle.save_peer(peer, CONSOLE, password=remote["intercluster_password"])
    return peer
