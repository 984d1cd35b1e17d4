"""What nodes present when they are asked for their certificates."""

import asyncio
from collections.abc import Sequence

import wire
from clusters.connections import cluster_policy
from clusters.models import Node
from wire import Certificate, WireError

CERTIFICATE_DEADLINE = 10.0
Presented = tuple[Certificate | None, WireError | None]


def ask_nodes(nodes: Sequence[Node]) -> dict[Node, Presented]:
    """Ask all nodes at once; give what each presents, or why it does not."""

    async def one(node: Node, legacy: bool) -> Presented:
        try:
            return await presented_certificate(node, legacy), None
        except WireError as error:
            return None, error

    async def everyone() -> dict[Node, Presented]:
        found = await asyncio.gather(*map(one, nodes, legacy))
        return dict(zip(nodes, found, strict=True))

    # Read before: the database is not asked from within the loop.
    legacy = [node.cluster.legacy_tls for node in nodes]
    return wire.run_loop(everyone())


async def presented_certificate(node: Node, legacy: bool) -> Certificate:
    return await wire.fetch_certificate(
        node.address,
        node.axl_port,
        cluster_policy(),
        server_name=node.name,
        legacy=legacy,
        deadline=CERTIFICATE_DEADLINE,
    )
