"""Rolling up checks: each is counted once, in its hour and its day.

Checks are kept in full only for a while (the setting `KEPT_CHECKS` of each
peer); what they found is kept here for HISTORY_RETENTION_DAYS.
"""

from collections.abc import Iterable
from datetime import UTC, date, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.cluster_limits import all_clusters
from diagnostics.models import PeerCheck
from history.availability import DAY, Slot, midnight_of
from history.models import ClusterDay, Event, PeerDay, RollUp
from peers.models import Peer, PeerOutcome

# Checks in one transaction.
BATCH = 2000
COUNTS = ("passed", "warning", "failed", "unknown")
USERS = ("associated_users", "remote_users")


def roll_up() -> int:
    """Count the checks that were not counted yet; return how many there were."""
    total = 0
    with all_clusters():
        while number := roll_up_some():
            total += number
    return total


@transaction.atomic
def roll_up_some() -> int:
    RollUp.objects.get_or_create(pk=1)
    RollUp.objects.select_for_update().get(pk=1)
    fresh = PeerCheck.objects.filter(rolled_up=False).order_by("at", "id")
    checks = list(fresh.only("peer_id", "at", "outcome", *USERS)[:BATCH])
    if not checks:
        return 0
    count_checks(checks)
    PeerCheck.objects.filter(pk__in=[check.pk for check in checks]).update(
        rolled_up=True
    )
    RollUp.objects.filter(pk=1).update(rolled_at=timezone.now())
    return len(checks)


def count_checks(checks: Iterable[PeerCheck]) -> None:
    rows: dict[tuple[UUID, date], PeerDay] = {}
    days = {check.at.astimezone(UTC).date() for check in checks}
    peers = {check.peer_id for check in checks}
    for row in PeerDay.objects.filter(day__in=days, peer__in=peers):
        rows[row.peer_id, row.day] = row
    for check in checks:
        at = check.at.astimezone(UTC)
        key = (check.peer_id, at.date())
        if key not in rows:
            rows[key] = PeerDay(peer_id=check.peer_id, day=at.date())
        rows[key].count(
            at.hour,
            check.outcome if check.outcome in COUNTS else PeerOutcome.UNKNOWN,
            check.associated_users,
            check.remote_users,
        )
    store_days(list(rows.values()))
    renew_cluster_days(peers, days)


def store_days(rows: list[PeerDay]) -> None:
    new = [row for row in rows if row.pk is None]
    old = [row for row in rows if row.pk is not None]
    PeerDay.objects.bulk_create(new, batch_size=200)
    PeerDay.objects.bulk_update(old, [*COUNTS, *USERS, "hours"], batch_size=100)


def renew_cluster_days(peers: Iterable[UUID], days: Iterable[date]) -> None:
    """Add up all peers of the clusters of these peers again, for these days."""
    clusters = Peer.objects.filter(pk__in=peers).order_by().values("cluster").distinct()
    rows = PeerDay.objects.filter(day__in=days, peer__cluster__in=clusters).order_by()
    sums: dict[tuple[UUID, date], dict[str, Slot]] = {}
    for cluster, day, hours, *numbers in rows.values_list(
        "peer__cluster", "day", "hours", *COUNTS, *USERS
    ):
        slots = sums.setdefault((cluster, day), {})
        for hour, found in [("", numbers), *hours.items()]:
            slots.setdefault(hour, Slot(midnight_of(day), DAY)).add(found)
    ClusterDay.objects.bulk_create(
        [cluster_day(*key, slots) for key, slots in sums.items()],
        update_conflicts=True,
        unique_fields=["cluster", "day"],
        update_fields=[*COUNTS, *USERS, "hours"],
        batch_size=100,
    )


def cluster_day(cluster: UUID, day: date, slots: dict[str, Slot]) -> ClusterDay:
    """Make the row of slots by hour; the one without an hour is the whole day."""
    numbers = {
        hour: [getattr(slot, name) for name in (*COUNTS, *USERS)]
        for hour, slot in slots.items()
    }
    whole = dict(zip((*COUNTS, *USERS), numbers.pop(""), strict=True))
    return ClusterDay(cluster_id=cluster, day=day, hours=numbers, **whole)


def prune_days() -> None:
    """Delete what is older than HISTORY_RETENTION_DAYS."""
    before = timezone.now() - timedelta(days=settings.HISTORY_RETENTION_DAYS)
    with all_clusters():
        PeerDay.objects.filter(day__lt=before.date()).delete()
        ClusterDay.objects.filter(day__lt=before.date()).delete()
        Event.objects.filter(at__lt=before).delete()
