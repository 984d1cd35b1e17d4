"""What a cluster tells of itself: version, generation, nodes, certificates."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from django.db import IntegrityError, transaction

import wire
from accounts import audit
from base.revisions import Stale
from clusters import contacts
from clusters.connections import cluster_policy
from clusters.conversation import ask_node
from clusters.models import Cluster, Node
from clusters.node_evidence import identify_nodes
from clusters.node_update import NodeUpdate
from clusters.topology import KnownNode, ListedNode, Row, listed_nodes
from jobs.models import Job
from jobs.run import Ended
from wire import AxlClient, Certificate, Code, WireError, plain_host, platforms, sql

# More nodes than any cluster has.
MOST_NODES = 100
MOST_ADDRESSES = 10


def learn_version(cluster: Cluster) -> str:
    """Store version and generation; return a sentence about them."""
    publisher = require_publisher(cluster)
    version = ask_node(publisher, AxlClient.version)
    if not version:
        return "The publisher does not report its version; set the generation manually."
    generation = platforms.generation_of(version)
    found = {"version": version, "generation": generation}
    old = {"version": cluster.version, "generation": cluster.generation}
    if changes := audit.differences(old, found):
        with transaction.atomic():
            cluster.remember_release(version, generation)
            audit.append_entry(audit.CONSOLE, "learn version", cluster, changes)
    return f"{cluster.get_generation_display()}, version {version}"


def require_publisher(cluster: Cluster) -> Node:
    publisher = cluster.publisher
    if publisher is None:
        raise WireError(
            wire.Code.ADDRESS,
            f"The cluster {cluster} has no publisher.",
            remedy="Add its publisher as a node first.",
        )
    return publisher


def read_node_rows(cluster: Cluster) -> list[Row]:
    """Read `processnode`, without the roles where the table does not tell them."""
    publisher = require_publisher(cluster)
    try:
        return ask_node(
            publisher, _rows_of(sql.build_query("process_nodes", cluster.profile))
        )
    except WireError as error:
        if error.code != Code.FAULT:
            raise
    return ask_node(publisher, _rows_of(sql.build_query("process_nodes")))


def _rows_of(query: sql.Query) -> Callable[[AxlClient], Awaitable[list[Row]]]:
    async def question(axl: AxlClient) -> list[Row]:
        return [row async for row in axl.rows(query)]

    return question


def learn_nodes(cluster: Cluster) -> str:
    """Bring the nodes in line with those that the cluster lists; say what changed.

    Raises:
        Ended: the publisher is another node, or the nodes were changed meanwhile.
        WireError: the cluster does not tell its nodes.
    """
    listed = listed_nodes(read_node_rows(cluster))
    if len(listed) > MOST_NODES:
        sentence = (
            f"{cluster} lists {len(listed):,} nodes; at most {MOST_NODES} are read."
        )
        raise WireError(Code.TOO_LARGE, sentence, remedy="Add its nodes manually.")
    nodes = list(cluster.nodes.all())
    known, listed = wire.run_loop(identify_nodes(nodes, listed))
    update = NodeUpdate(cluster, known, listed)
    try:
        with transaction.atomic():
            update.store()
    except (Stale, IntegrityError):
        sentence = "Somebody changed the nodes in the meantime. Run discovery again."
        raise Ended(Job.State.FAILED, sentence) from None
    if update.failure:
        raise Ended(Job.State.FAILED, update.failure)
    remember_addresses(cluster, known, listed)
    return str(update)


def remember_addresses(
    cluster: Cluster, known: list[KnownNode], listed: list[ListedNode]
) -> None:
    """Keep where the nodes' names lead: entries of peers may have either form."""
    places = {one.node.pk: one.addresses for one in known}
    by_name = {plain_host(row.host or row.name): row.addresses for row in listed}
    for node in cluster.nodes.all():
        found = places.get(node.pk) or by_name.get(plain_host(node.address))
        node.remember_addresses(joined_addresses(found or ()))


def joined_addresses(addresses: Iterable[str]) -> str:
    """Put addresses between spaces, so that each is found whole; a node has few."""
    few = sorted(addresses)[:MOST_ADDRESSES]
    return f" {' '.join(few)} " if few else ""


def check_certificates(cluster: Cluster) -> str:
    """Ask each node for its certificate and notice one that changed."""
    nodes = list(cluster.nodes.all())
    found = wire.run_loop(_certificates(nodes))
    for node, certificate in zip(nodes, found, strict=True):
        if isinstance(certificate, Certificate):
            notice_certificate(node, certificate)
    waiting = [node.name for node in cluster.nodes.all() if not node.trusted]
    if waiting:
        return "To be confirmed by an administrator: " + ", ".join(waiting)
    return "All confirmed"


def notice_certificate(node: Node, certificate: Certificate) -> None:
    pinned = node.certificate_fingerprint
    if pinned and pinned != certificate.fingerprint:
        contacts.notice_change(node, certificate.fingerprint)
        return
    rows = Node.objects.filter(pk=node.pk)
    rows.remember_found(certificate_not_after=certificate.not_after)
    if pinned:
        contacts.notice_return(node)


async def _certificates(nodes: list[Node]) -> list[Certificate | BaseException]:
    where = cluster_policy()
    return await asyncio.gather(
        *(
            wire.fetch_certificate(
                node.address,
                node.axl_port,
                where,
                server_name=node.name,
                legacy=node.cluster.legacy_tls,
            )
            for node in nodes
        ),
        return_exceptions=True,
    )
