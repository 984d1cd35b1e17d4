"""Network services of the nodes, as they were last read."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from accounts.cluster_limits import (
    ClusterScope,
    HangsOnClusters,
    Limit,
    ScopedManager,
)
from base.fields import JSONField
from clusters.models import Generation, Node
from wire import Code, platforms
from wire.control_center_reasons import COMMANDED_OUT, NOT_ACTIVATED
from wire.platforms import service_key

# Errors that mean that nobody answered; after any other, somebody did.
SILENT = (
    Code.UNRESOLVABLE,
    Code.REFUSED,
    Code.UNREACHABLE,
    Code.TIMEOUT,
    Code.CLOSED,
)
# Somebody wants it so.
INTENDED = (NOT_ACTIVATED, COMMANDED_OUT)


def nodes_within(limit: Limit) -> models.QuerySet[Node]:
    return Node._base_manager.filter(cluster__in=limit.clusters)


# How rows of a node hang on its cluster.
BY_NODE = ClusterScope("node_id", nodes_within, lambda row: {row.node.cluster_id})


class NodeReading(HangsOnClusters):
    """When a node's services were last read, and what kept the last try from it."""

    scope = BY_NODE

    node = models.OneToOneField(
        Node, primary_key=True, on_delete=models.CASCADE, related_name="reading"
    )
    observed_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField()
    listed_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.CharField(max_length=1000, blank=True)

    objects = ScopedManager()

    def __str__(self) -> str:
        return f"Reading of {self.node_id}"

    @property
    def state(self) -> str:
        """Why the services are not known: `unreachable`, `unreadable`, or nothing."""
        if not self.error_code:
            return ""
        return "unreachable" if self.error_code in SILENT else "unreadable"


class ServiceQuerySet(models.QuerySet["Service"]):
    """Queries over services."""

    def sync_agents(self) -> Self:
        """The Intercluster Sync Agent, under the name of any generation."""
        names = Service._base_manager.order_by().values_list("name", flat=True)
        return self.filter(name__in=filter(is_agent, names.distinct()))

    def with_node(self) -> Self:
        return self.select_related("node__cluster", "node__reading")

    def controllable(self) -> Self:
        """Those of which `Service.controllable` is true."""
        forever = Q(restrict=Service.Restrict.DO_NOT_STOP)
        for generation in Generation:
            names = platforms.profile_of(generation).services
            kept = [names["tomcat"], names["database"]]
            # As the profile of a cluster: the newest one until it is detected.
            newest = generation == Generation.IMP
            undetected = Q(node__cluster__generation=None) if newest else Q()
            its = Q(node__cluster__generation=generation) | undetected
            forever |= Q(restrict="", name__in=kept) & its
        return self.exclude(forever, status=Service.Status.STARTED)

    def unreachable(self) -> Self:
        return self.filter(node__reading__error_code__in=SILENT)

    def lose(self, nodes: Iterable[uuid.UUID]) -> int:
        """Say of all services of these nodes that their status is not known now."""
        known = self.filter(node__in=nodes).exclude(status=Service.Status.UNKNOWN)
        return known.update(
            last_status=F("status"),
            status=Service.Status.UNKNOWN,
            up_time=None,
            reason="",
            reason_code=None,
        )


class Service(HangsOnClusters):
    """A network service on a node, as the node last reported it."""

    scope = BY_NODE

    class Status(models.TextChoices):
        STARTED = "started"
        STOPPED = "stopped"
        STARTING = "starting"
        STOPPING = "stopping"
        UNKNOWN = "unknown"

    class Restrict(models.TextChoices):
        NONE = "none", "May be stopped"
        PRIMARY_NODE = "primary_node", "Runs on the publisher only"
        DO_NOT_STOP = "do_not_stop", "Must not be stopped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    node = models.ForeignKey(Node, on_delete=models.CASCADE, related_name="services")
    name = models.CharField(max_length=128)
    group = models.CharField(max_length=80, blank=True)
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.UNKNOWN
    )
    # What it was before the node could not be read any more.
    last_status = models.CharField(max_length=10, blank=True)
    reason = models.CharField(max_length=255, blank=True)
    reason_code = models.IntegerField(null=True)
    up_time = models.PositiveBigIntegerField(null=True)
    start_time = models.CharField(max_length=60, blank=True)
    deployable = models.BooleanField(null=True)
    restrict = models.CharField(max_length=12, choices=Restrict.choices, blank=True)
    observed_at = models.DateTimeField(null=True)

    objects = ScopedManager.from_queryset(ServiceQuerySet)()

    class Meta:
        ordering = ["group", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["node", "name"], name="service_once_per_node"
            )
        ]
        indexes = [
            # The sync agent everywhere, and the grid's filters.
            models.Index(fields=["name", "status"], name="service_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.node.name}"

    def get_absolute_url(self) -> str:
        return reverse("services:show", args=[self.node_id])

    @property
    def lock(self) -> str:
        return f"service:{self.pk}"

    @property
    def display_status(self) -> str:
        """The status as a person should see it: `unreachable` is not `unknown`."""
        reading = getattr(self.node, "reading", None)
        silent = self.status == self.Status.UNKNOWN and reading and reading.state
        return str(silent or self.status)

    @property
    def outcome(self) -> str:
        """How the status is to be taken."""
        meant = is_meant(self.name, self.status, self.reason_code)
        return "information" if meant else self.display_status

    @property
    def why(self) -> str:
        """The reason in words: the node's own, or why its status is not known."""
        reading = getattr(self.node, "reading", None)
        if self.status == self.Status.UNKNOWN and reading and reading.error:
            return str(reading.error)
        return self.reason

    @property
    def stoppable(self) -> bool:
        """Whether stop and restart are offered: never where the platform forbids it."""
        if self.restrict:
            return self.restrict != self.Restrict.DO_NOT_STOP
        services = self.node.cluster.profile.services
        return self.name not in (services["tomcat"], services["database"])

    @property
    def controllable(self) -> bool:
        """Whether anything can be done with it: a running one may be unstoppable."""
        return self.stoppable or self.status != self.Status.STARTED

    def allows(self, action: str) -> bool:
        return action == "start" or self.stoppable


class NodePace(models.Model):
    """When the last calls to a node's Control Center were, for the rate rule."""

    node = models.OneToOneField(
        Node, primary_key=True, on_delete=models.CASCADE, related_name="pace"
    )
    calls = JSONField(default=list)

    def __str__(self) -> str:
        return f"Pace of {self.node_id}"


@cache
def agent_keys() -> frozenset[str]:
    """What the generations call the Intercluster Sync Agent, as keys."""
    agents = (platforms.profile_of(name).sync_agent for name in Generation.values)
    return frozenset(map(service_key, agents))


def is_agent(name: str) -> bool:
    return service_key(name) in agent_keys()


def is_meant(name: str, status: str, reason_code: int | None) -> bool:
    """Whether a service is off because somebody wants it so; never the sync agent."""
    off = status == Service.Status.STOPPED and reason_code in INTENDED
    return off and not is_agent(name)


@dataclass(frozen=True)
class SyncAgent:
    """The Intercluster Sync Agent of one node.

    Args:
        state: a service status, or why there is none: `unreachable`, `unreadable`,
            `absent` (the node has no such service), `unread` (nobody asked yet).
    """

    node: Node
    name: str
    state: str
    service: Service | None
    observed_at: datetime | None
    error: str = ""

    LABELS: ClassVar[dict[str, str]] = {
        "absent": "Not on this node",
        "unread": "Not read yet",
        "unreadable": "Could not be read",
    }

    @property
    def on(self) -> bool:
        return self.state == Service.Status.STARTED

    @property
    def label(self) -> str:
        return self.LABELS.get(self.state, self.state.capitalize())


def sync_agents(cluster: object = None) -> list[SyncAgent]:
    """Tell of every node (of one cluster) whether its sync agent is on."""
    chosen = Q() if cluster is None else Q(cluster=cluster)
    nodes = Node.objects.filter(chosen).select_related("cluster", "reading")
    services = Service.objects.sync_agents().filter(node__in=nodes)
    found = {service.node_id: service for service in services}
    return [_agent(node, found.get(node.pk)) for node in nodes]


def _agent(node: Node, service: Service | None) -> SyncAgent:
    reading = getattr(node, "reading", None)
    name = service.name if service else node.cluster.profile.sync_agent
    observed_at = service.observed_at if service else None
    if service:
        service.node = node
    if reading is None:
        return SyncAgent(node, name, "unread", service, observed_at)
    if reading.state:
        state, error = reading.state, reading.error
        return SyncAgent(node, name, state, service, observed_at, error)
    state = service.status if service else "absent"
    return SyncAgent(node, name, state, service, observed_at or reading.observed_at)
