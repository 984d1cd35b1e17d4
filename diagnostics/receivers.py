"""What other apps tell: a peer that was just provisioned is worth a check."""

from typing import Any
from uuid import UUID

from accounts.audit import Actor
from clusters.models import Cluster
from clusters.signals import certificate_returned, table_recognised
from jobs.models import Job
from peers.models import Peer
from peers.signals import peer_applied
from services.signals import services_controlled
from wire.platforms import service_key

# A cluster needs some seconds to carry its users after a peer was written.
VERIFY_FOR = 90


def connect_receivers() -> None:
    peer_applied.connect(check_peer, dispatch_uid="diagnostics.verify")
    table_recognised.connect(check_peers, dispatch_uid="diagnostics.check_peers")
    certificate_returned.connect(check_peers, dispatch_uid="diagnostics.returned")
    services_controlled.connect(test_services, dispatch_uid="diagnostics.look")


def check_peer(sender: object, *, peer: Peer, **extra: Any) -> None:
    from diagnostics.jobs.check import CheckPeers

    CheckPeers.submit([peer], until_verified=VERIFY_FOR)


def check_peers(sender: object, *, cluster: Cluster, **extra: Any) -> None:
    """What was unknown of a cluster and its peers can be read now."""
    from diagnostics.jobs.check import CheckPeers

    peers = list(Peer.objects.filter(cluster=cluster, removing=False))
    if peers:
        CheckPeers.submit(peers)


def test_services(
    sender: object, *, nodes: set[UUID], names: set[str], job: Job, **extra: Any
) -> None:
    """Run the tests of the services that a job controlled, on their clusters."""
    from diagnostics.jobs.troubleshoot import Troubleshoot

    clusters = Cluster.objects.filter(nodes__in=nodes).distinct().order_by("name")
    tests = {code for one in clusters for code in tests_of(one, names)}
    if not tests:
        return
    asker = Actor(job.requested_by, job.requested_from)
    Troubleshoot.submit(clusters, asker, reason=f"After {job}"[:100], tests=tests)


def tests_of(cluster: Cluster, names: set[str]) -> set[str]:
    """Return the codes of the tests that matter after control of these services."""
    from diagnostics.judge.services import codes_of

    services = cluster.profile.services
    found = codes_of(services, names)
    keys = set(map(service_key, names))
    if service_key(cluster.profile.sync_agent) in keys:
        found.add("sync_agent")
    if service_key(services["sip_proxy"]) in keys:
        found |= {"sip_answers", "sip_tls_answers"}
    if keys & {service_key(services["axl"]), service_key(services["tomcat"])}:
        found |= {"node_axl", "axl_user", "control_center"}
    return found
