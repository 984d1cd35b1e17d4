"""What a cluster tells of itself: version, generation, nodes, certificates."""

import asyncio
from collections.abc import Awaitable, Callable

from django.db import transaction

import wire
from accounts import audit
from peers.connections import policy
from peers.conversation import ask
from peers.models import Cluster, Node
from wire import AxlClient, Certificate, Code, WireError, platforms, sql

Row = dict[str, str | None]

# tkprocessnoderole of an IM and Presence node; 1 is a voice node.
PRESENCE = "2"


def learn_version(cluster: Cluster) -> str:
    """Store version and generation; return a sentence about them."""
    publisher = publisher_of(cluster)
    version = ask(publisher, AxlClient.version)
    if not version:
        return "The publisher does not tell its version; set the generation by hand."
    generation = platforms.generation_of(version)
    found = {"version": version, "generation": generation}
    old = {"version": cluster.version, "generation": cluster.generation}
    if changes := audit.differences(old, found):
        with transaction.atomic():
            Cluster.objects.filter(pk=cluster.pk).update(**found)
            audit.record(audit.CONSOLE, "learn version", cluster, changes)
    cluster.version, cluster.generation = version, generation
    return f"{cluster.get_generation_display()}, version {version}"


def publisher_of(cluster: Cluster) -> Node:
    publisher = cluster.publisher
    if publisher is None:
        raise WireError(
            wire.Code.ADDRESS,
            f"The cluster {cluster} has no publisher.",
            remedy="Add its publisher as a node first.",
        )
    return publisher


def ask_for_nodes(cluster: Cluster) -> list[Row]:
    """Read `processnode`, without the roles where the table does not tell them."""
    publisher = publisher_of(cluster)
    try:
        return ask(publisher, _rows_of(sql.query("process_nodes", cluster.profile)))
    except WireError as error:
        if error.code != Code.FAULT:
            raise
    return ask(publisher, _rows_of(sql.query("process_nodes")))


def _rows_of(query: sql.Query) -> Callable[[AxlClient], Awaitable[list[Row]]]:
    async def question(axl: AxlClient) -> list[Row]:
        return [row async for row in axl.rows(query)]

    return question


def learn_nodes(cluster: Cluster) -> str:
    """Add the nodes that the console does not know; return what was found."""
    rows = ask_for_nodes(cluster)
    known = list(cluster.nodes.all())
    added = [
        add_node(cluster, name)
        for name in node_names(rows)
        if not any(node.goes_by(name) for node in known)
    ]
    names = ", ".join(node.name for node in added)
    return f"{len(known)} known, added: {names}" if added else f"{len(known)} known"


def node_names(rows: list[Row]) -> list[str]:
    """Return the presence nodes among the rows of `processnode`.

    The table also holds a system row, and where it tells the role of a node, voice
    nodes beside presence nodes.
    """
    own = [row for row in rows if row.get("systemnode") != "t"]
    presence = [
        row for row in own if row.get("tkprocessnoderole") in (None, "", PRESENCE)
    ]
    return [name for row in presence if (name := (row.get("name") or "").strip())]


def add_node(cluster: Cluster, name: str) -> Node:
    with transaction.atomic():
        publisher = publisher_of(cluster)
        node = Node.objects.create(
            cluster=cluster,
            name=name.lower(),
            address=name.lower(),
            role=Node.Role.SUBSCRIBER,
            axl_port=publisher.axl_port,
        )
        audit.record(audit.CONSOLE, "discover node", node)
    return node


def look_at_certificates(cluster: Cluster) -> str:
    """Ask each node for its certificate and notice one that changed."""
    nodes = list(cluster.nodes.all())
    found = wire.run(_certificates(nodes))
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
        if node.remember_change():
            audit.record(audit.CONSOLE, "notice changed certificate", node)
    else:
        Node.objects.filter(pk=node.pk).update(
            certificate_not_after=certificate.not_after
        )


async def _certificates(nodes: list[Node]) -> list[Certificate | BaseException]:
    where = policy()
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
