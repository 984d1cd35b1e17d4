"""Services are read politely: shared with the service pages, at the common rate."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from clusters.models import Node
from diagnostics.facts import Facts, NodeFacts
from diagnostics.node_addresses import ClusterTarget
from services.models import Service
from services.poll import ServiceReading, store_readings
from services.rate_limit import grant_calls
from wire import Code, ServiceStatus, WireError

# A check that repeats every few seconds must not use up a node's ten calls a minute.
FRESH = timedelta(seconds=10)
# The second finds out which Control Center a node has.
CALLS = 2
CODES = {code.value: code for code in Code}


@contextmanager
def allow_reading(clusters: Iterable[ClusterTarget]) -> Iterator[list[ClusterTarget]]:
    """Give the clusters with what was read just now, and leave to read the rest."""
    clusters = list(clusters)
    known = just_read([UUID(n.id) for cluster in clusters for n in cluster.nodes])
    unread = [
        UUID(node.id)
        for cluster in clusters
        for node in cluster.nodes
        if node.id not in known and node.blocked is None
    ]
    with grant_calls(unread, CALLS) as grants:
        yield [
            replace(
                cluster,
                nodes=tuple(
                    replace(
                        node,
                        services=known.get(node.id),
                        limiter=grants.get(UUID(node.id)),
                    )
                    for node in cluster.nodes
                ),
            )
            for cluster in clusters
        ]


def just_read(nodes: list[UUID]) -> dict[str, tuple[ServiceStatus, ...]]:
    """Return the services of nodes whose last reading is good and a moment old."""
    rows = Service.objects.filter(
        node__in=nodes,
        node__reading__error_code="",
        node__reading__observed_at__gt=timezone.now() - FRESH,
    )
    found: dict[str, list[ServiceStatus]] = {}
    for row in rows:
        found.setdefault(str(row.node_id), []).append(as_status(row))
    return {node: tuple(statuses) for node, statuses in found.items()}


def as_status(row: Service) -> ServiceStatus:
    return ServiceStatus(
        row.name, row.status, row.reason_code, row.reason, row.start_time, row.up_time
    )


def share_readings(facts: Facts) -> None:
    """Let the service pages show what this collection read."""
    read = {
        node.id: node
        for cluster in facts.clusters.values()
        for node in cluster.nodes
        # Neither asked nor refused: it was taken over from the pages.
        if node.services.duration_ms is not None
    }
    rows = Node.objects.filter(pk__in=read).select_related("cluster")
    store_readings([as_reading(row, read[str(row.pk)]) for row in rows])


def as_reading(row: Node, node: NodeFacts) -> ServiceReading:
    failure = node.services.failure
    error = None
    if failure:
        code = CODES.get(failure.code, Code.PROTOCOL)
        error = WireError(code, failure.message, remedy=failure.remedy)
    return ServiceReading(
        row,
        list(node.services.value or ()),
        control_center=node.control_center or row.control_center,
        error=error,
    )
