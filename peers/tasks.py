"""The background work of clusters and peers."""

from celery import shared_task
from django.urls import reverse
from django.utils import timezone

from jobs.kinds import kind
from jobs.models import Job
from jobs.run import Ended, Run
from peers import discovery, provisioning
from peers.conversation import ask
from peers.exchange import uploads
from peers.models import Cluster, Node, Peer
from wire import AxlClient, WireError


@kind("provision-peer", "Set up peer", audited=True)
def provision_peer(run: Run) -> None:
    peer = Peer.objects.select_related("cluster").filter(pk=run.job.target_id).first()
    if peer is None:
        run.fail("The peer was deleted in the meantime.")
    direct = peer.cluster.direct
    try:
        if direct:
            provisioning.provision_directly(run, peer)
        else:
            provisioning.provision_guided(run, peer)
    except (WireError, Ended):
        peer.set_state(Peer.ProvisioningState.FAILED)
        raise


@kind("remove-peer", "Remove peer", audited=True)
def remove_peer(run: Run) -> None:
    for pk in run.arguments["peers"]:
        peer = Peer.objects.select_related("cluster").filter(pk=pk).first()
        if peer is None:
            continue  # an earlier attempt finished it
        try:
            if peer.cluster.direct:
                provisioning.remove_directly(run, peer)
            else:
                provisioning.remove_guided(run, peer)
        except (WireError, Ended):
            Peer.objects.filter(pk=pk).update(removing=False)
            raise


@kind("discover-cluster", "Discover cluster", audited=True)
def discover_cluster(run: Run) -> None:
    cluster = Cluster.objects.filter(pk=run.job.target_id).first()
    if cluster is None:
        run.fail("The cluster was deleted in the meantime.")
    run.do("version", lambda step: discovery.learn_version(cluster))
    run.do("nodes", lambda step: discovery.learn_nodes(cluster))
    run.do("certificates", lambda step: discovery.look_at_certificates(cluster))


@kind("import-file", "Import file", page=lambda job: reverse("peers:find"))
def import_file(run: Run) -> None:
    run.do("import", lambda step: uploads.do(run, step))


@kind("test-cluster", "Test cluster")
def test_cluster(run: Run) -> None:
    """Reach every node; one that fails does not keep the others from being tried."""
    nodes = list(
        Node.objects.filter(cluster_id=run.job.target_id).select_related("cluster")
    )
    failed = [node.name for node in nodes if not reach(run, node)]
    health = Cluster.Health.FAILED if failed else Cluster.Health.OK
    if nodes:
        nodes[0].cluster.remember_health(health, timezone.now())
    if failed:
        raise Ended(Job.State.FAILED, "Not reached: " + ", ".join(failed))


def reach(run: Run, node: Node) -> bool:
    try:
        run.do(str(node.pk), lambda step: describe(ask(node, AxlClient.probe)))
    except WireError:
        return False
    return True


def describe(publishers: int) -> str:
    return f"AXL answers (publishers it knows: {publishers})."


@shared_task
def clean() -> None:
    """Delete files that nobody imported in time: they may hold passwords."""
    uploads.forget_old()
