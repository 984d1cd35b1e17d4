"""Reading the services of many nodes at once, and storing what they said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

import wire
from clusters.connections import address_of
from clusters.contacts import remember_error
from clusters.models import Node
from services.models import NodeReading, Service
from services.rate_limit import CallGrant, grant_calls
from wire import (
    Backoff,
    Code,
    ControlCenterClient,
    NodeAddress,
    ServiceInfo,
    ServiceStatus,
    WireError,
    gather_limited,
)
from wire.control_center_reasons import is_success

DEADLINE = 60.0
# Groups and restrictions hardly change; the list is asked for again after this.
LIST_AGAIN = timedelta(days=1)
# What a node may say when it has no static list; its statuses are good all the same.
NO_LIST = (Code.NOT_OFFERED, Code.FAULT, Code.HTTP, Code.UNAVAILABLE)

OnRead = Callable[[int, int, str], None]


@dataclass(frozen=True)
class ServiceReading:
    """What one node said, or why it said nothing."""

    node: Node
    statuses: list[ServiceStatus] = field(default_factory=list)
    infos: list[ServiceInfo] | None = None
    control_center: str = ""
    error: WireError | None = None

    def status_of(self, name: str) -> ServiceStatus | None:
        return next((status for status in self.statuses if status.name == name), None)


def read_services(
    nodes: Iterable[Node], on_read: OnRead | None = None, backoff: Backoff | None = None
) -> dict[UUID, ServiceReading]:
    """Read all services of these nodes in one batch and store them.

    Args:
        on_read: called with (done, total, name) of each node that answered or failed.
        backoff: how to wait when a node asks for fewer requests.
    """
    by_id = {node.pk: node for node in nodes}
    unlisted = _without_list(by_id)
    addresses, readings = _addresses(by_id)
    with grant_calls(addresses, 3 if unlisted else 1) as grants:
        found = wire.run_loop(
            _read_all(
                [
                    (by_id[pk], address, grants[pk], pk in unlisted)
                    for pk, address in addresses.items()
                ],
                on_read or _nobody,
                backoff,
            )
        )
    readings |= {reading.node.pk: reading for reading in found}
    store_readings(readings.values())
    return readings


def _nobody(done: int, total: int, name: str) -> None:
    return


def _without_list(nodes: Iterable[UUID]) -> set[UUID]:
    listed = NodeReading.objects.filter(
        node__in=nodes, listed_at__gt=Now() - LIST_AGAIN
    )
    return set(nodes) - set(listed.values_list("pk", flat=True))


def _addresses(
    nodes: dict[UUID, Node],
) -> tuple[dict[UUID, NodeAddress], dict[UUID, ServiceReading]]:
    """Split the nodes into those that may be asked and those that may not."""
    addresses, refused = {}, {}
    for pk, node in nodes.items():
        try:
            addresses[pk] = address_of(node)
        except WireError as error:
            refused[pk] = ServiceReading(node, error=error)
    return addresses, refused


Question = tuple[Node, NodeAddress, CallGrant, bool]


async def _read_all(
    questions: list[Question], on_read: OnRead, backoff: Backoff | None
) -> list[ServiceReading]:
    done = 0

    async def one(question: Question) -> ServiceReading:
        nonlocal done
        reading = await _read_one(question, backoff)
        done += 1
        on_read(done, len(questions), reading.node.name)
        return reading

    found = await gather_limited(one(question) for question in questions)
    return [reading for reading in found if isinstance(reading, ServiceReading)]


async def _read_one(question: Question, backoff: Backoff | None) -> ServiceReading:
    node, address, grant, with_list = question
    await grant.ready()
    try:
        async with ControlCenterClient(
            address, limiter=grant, backoff=backoff
        ) as client:
            statuses = await client.statuses(deadline=DEADLINE)
            infos = await _list_services(client) if with_list else None
            return ServiceReading(node, statuses, infos, client.control_center or "")
    except WireError as error:
        return ServiceReading(node, error=error)


async def _list_services(client: ControlCenterClient) -> list[ServiceInfo] | None:
    try:
        return await client.static_list(deadline=DEADLINE)
    except WireError as error:
        return [] if error.code in NO_LIST else None


def store_readings(readings: Iterable[ServiceReading]) -> None:
    """Write what was read; a node that failed keeps its last statuses as past ones."""
    readings = list(readings)
    if not readings:
        return
    failed = [reading for reading in readings if reading.error]
    good = [reading for reading in readings if not reading.error]
    for reading in failed:
        remember_error(reading.node, reading.error)  # type: ignore[arg-type]
    with transaction.atomic():
        now = database_now()
        _store_services(good, now)
        Service.objects.lose([reading.node.pk for reading in failed])
        _store_readings(readings, now)
    for reading in good:
        if reading.control_center != reading.node.control_center:
            rows = Node.objects.filter(pk=reading.node.pk)
            rows.remember_found(control_center=reading.control_center)
            reading.node.control_center = reading.control_center


def database_now() -> datetime:
    """Return the time by the database's clock; workers' clocks may differ.

    There must be a node, as there is wherever services are read.
    """
    now: datetime = Node.objects.order_by().values_list(Now(), flat=True)[0]
    return now


SEEN = ("status", "last_status", "reason", "reason_code", "start_time")
LISTED = ("group", "deployable", "restrict")

# The columns of a service in the order of SEEN and, where it was listed, LISTED.
Values = tuple[object, ...]


@dataclass
class Changes:
    """What is to be written: most services only go on running."""

    grown: dict[int, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    seen: list[Service] = field(default_factory=list)
    listed: list[Service] = field(default_factory=list)
    gone: dict[UUID, set[str]] = field(default_factory=dict)


def _store_services(readings: list[ServiceReading], now: datetime) -> None:
    readings = [reading for reading in readings if reading.statuses]
    known = _known_services(reading.node.pk for reading in readings)
    changes = Changes()
    for reading in readings:
        _compare_reading(reading, known[reading.node.pk], changes)
    for node, names in changes.gone.items():
        Service.objects.filter(node=node, name__in=names).delete()
    for seconds, nodes in changes.grown.items():
        services = Service.objects.filter(node__in=nodes)
        services.update(observed_at=now, up_time=F("up_time") + seconds)
    for rows, fields in ((changes.seen, SEEN), (changes.listed, (*SEEN, *LISTED))):
        for row in rows:
            row.observed_at = now
        Service.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["node", "name"],
            update_fields=[*fields, "up_time", "observed_at"],
        )


def _known_services(
    nodes: Iterable[UUID],
) -> dict[UUID, dict[str, tuple[int | None, Values]]]:
    """Give the up time and the columns of each known service of these nodes."""
    known: dict[UUID, dict[str, tuple[int | None, Values]]] = defaultdict(dict)
    columns = ("node_id", "name", "up_time", *SEEN, *LISTED)
    rows = Service.objects.filter(node__in=list(nodes)).order_by()
    for node, name, up_time, *values in rows.values_list(*columns):
        known[node][name] = (up_time, tuple(values))
    return known


def _compare_reading(
    reading: ServiceReading,
    known: dict[str, tuple[int | None, Values]],
    changes: Changes,
) -> None:
    """Add what a node's reading changes to what is known of it."""
    infos = {info.name: info for info in reading.infos or []}
    statuses = {status.name[:128]: status for status in reading.statuses}
    rows = changes.listed if infos else changes.seen
    growth = _growth(statuses, known)
    for name, status in statuses.items():
        values = _service_values(status, infos.get(name), listed=bool(infos))
        up_time, old = known.get(name, (None, ()))
        expected = None if up_time is None else up_time + growth
        if old[: len(values)] != values or expected != status.up_time:
            fields = dict(zip((*SEEN, *LISTED), values, strict=False))
            rows.append(
                Service(node=reading.node, name=name, up_time=status.up_time, **fields)
            )
    changes.grown[growth].append(reading.node.pk)
    if gone := known.keys() - statuses.keys():
        changes.gone[reading.node.pk] = gone


def _growth(
    statuses: dict[str, ServiceStatus], known: dict[str, tuple[int | None, Values]]
) -> int:
    """Give the seconds by which most services of a node have gone on running."""
    grown = Counter(
        status.up_time - before
        for name, status in statuses.items()
        if status.up_time is not None
        and (before := known.get(name, (None, ()))[0]) is not None
        and status.up_time >= before
    )
    return grown.most_common(1)[0][0] if grown else 0


def _service_values(
    status: ServiceStatus, info: ServiceInfo | None, *, listed: bool
) -> Values:
    good = is_success(status.reason_code, status.reason)
    seen = (
        status.status,
        "",
        "" if good else status.reason[:255],
        status.reason_code,
        status.start_time[:60],
    )
    if not listed:
        return seen
    if info is None:
        return (*seen, "", None, "")
    return (*seen, info.group[:80], info.deployable, info.restrict or "")


def _store_readings(readings: list[ServiceReading], now: datetime) -> None:
    for group, fields in (
        ([r for r in readings if r.error], ["tried_at", "error_code", "error"]),
        (
            [r for r in readings if not r.error and r.infos is None],
            ["tried_at", "error_code", "error", "observed_at"],
        ),
        (
            [r for r in readings if not r.error and r.infos is not None],
            ["tried_at", "error_code", "error", "observed_at", "listed_at"],
        ),
    ):
        NodeReading.objects.bulk_create(
            [_reading_row(reading, now) for reading in group],
            update_conflicts=True,
            unique_fields=["node"],
            update_fields=fields,
        )


def _reading_row(reading: ServiceReading, now: datetime) -> NodeReading:
    error = reading.error
    return NodeReading(
        node=reading.node,
        tried_at=now,
        observed_at=None if error else now,
        listed_at=None if error or reading.infos is None else now,
        error_code=str(error.code) if error else "",
        error=f"{error.message} {error.remedy}".strip() if error else "",
    )
