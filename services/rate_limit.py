"""The rate rule of the Control Center: 10 calls per node and minute, for all workers.

Calls are reserved before a conversation, in the database and by its clock, and what
was not used is given back after it. So no coroutine waits for the database.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from services.models import NodePace

CALLS = 10
WINDOW = 60.0
# Between calls that were not reserved; slow enough to keep the rule by itself.
UNRESERVED = WINDOW / CALLS


class CallGrant:
    """Calls that one conversation may make, and when; a limiter for the wire."""

    def __init__(self, times: list[float], now: float) -> None:
        self.unused = list(times)
        self.extra: list[float] = []
        self._offset = time.monotonic() - now

    async def take(self, key: str = "", cost: int = 1) -> None:
        """Wait until `cost` more calls are allowed."""
        for _ in range(cost):
            if self.unused:
                await self._until(self.unused.pop(0))
            else:
                last = self.extra[-1] if self.extra else self._now()
                self.extra.append(max(last + UNRESERVED, self._now()))
                await self._until(self.extra[-1])

    async def ready(self) -> None:
        """Wait until the next call is allowed, so that its deadline starts then."""
        if self.unused:
            await self._until(self.unused[0])

    def _now(self) -> float:
        return time.monotonic() - self._offset

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(at - self._now(), 0))


def next_call(calls: list[float], now: float) -> float:
    """Return when the next call may be made, after these."""
    earliest = max([now, *calls[-1:]])
    if len(calls) < CALLS:
        return earliest
    return max(earliest, calls[-CALLS] + WINDOW)


def reserve_calls(nodes: Iterable[Any], calls: int) -> dict[Any, CallGrant]:
    """Reserve calls on each node (by id); their times are in the grants."""
    ids = sorted(set(nodes))
    with transaction.atomic():
        NodePace.objects.bulk_create(
            [NodePace(node_id=pk) for pk in ids], ignore_conflicts=True
        )
        grants = {}
        paces = list(_locked_paces(ids))
        for pace in paces:
            now = pace.now.timestamp()
            times: list[float] = []
            for _ in range(calls):
                times.append(next_call(pace.calls, now))
                pace.calls = [*pace.calls, times[-1]][-CALLS:]
            grants[pace.pk] = CallGrant(times, now)
        _write_paces(paces)
    return grants


def settle_calls(grants: dict[Any, CallGrant]) -> None:
    """Give back what was not used, and record what was used beyond it."""
    with transaction.atomic():
        paces = [p for p in _locked_paces(list(grants)) if _has_changed(grants[p.pk])]
        for pace in paces:
            grant = grants[pace.pk]
            # Equal times stand for several calls: as many go as were not made.
            made = Counter(pace.calls) - Counter(grant.unused)
            pace.calls = sorted([*made.elements(), *grant.extra])[-CALLS:]
        _write_paces(paces)


def _write_paces(paces: list[NodePace]) -> None:
    NodePace.objects.bulk_create(
        paces, update_conflicts=True, unique_fields=["node"], update_fields=["calls"]
    )


def _has_changed(grant: CallGrant) -> bool:
    return bool(grant.unused or grant.extra)


def _locked_paces(nodes: list[Any]) -> Any:
    rows = NodePace.objects.select_for_update().filter(pk__in=nodes).order_by("pk")
    return rows.annotate(now=Now())


@contextmanager
def grant_calls(nodes: Iterable[Any], calls: int) -> Any:
    """Reserve calls for the conversations inside, and settle after them."""
    grants = reserve_calls(nodes, calls)
    try:
        yield grants
    finally:
        settle_calls(grants)
