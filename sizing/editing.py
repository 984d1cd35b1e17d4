"""What people state of the deployment, each change with its audit entry."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.audit import Actor
from clusters.models import Cluster
from sizing.load import INPUTS
from sizing.models import ClusterPlatform, StatedProfile

LINK = "link_kbit_per_second"
PLATFORM_FIELDS = ("platform", "redundant")


def stated_values() -> dict[str, float | None]:
    """What is stated of the profile; None: the console assumes a value."""
    return _values(StatedProfile.objects.first() or StatedProfile())


def _values(row: StatedProfile) -> dict[str, float | None]:
    return {
        **{one.name: row.values.get(one.name) for one in INPUTS},
        LINK: row.link_kbit_per_second,
    }


@transaction.atomic
def state_profile(given: Mapping[str, float | None], actor: Actor) -> None:
    """Keep the given fields; None takes what was stated of one back."""
    StatedProfile.objects.get_or_create(pk=1)
    row = StatedProfile.objects.select_for_update().get(pk=1)
    old = _values(row)
    new = {**old, **given}
    changes = audit.differences(old, new)
    if not changes:
        return
    row.link_kbit_per_second = new.pop(LINK)
    row.values = {name: value for name, value in new.items() if value is not None}
    row.stated_by = actor.label
    row.save()
    audit.append_entry(actor, "state profile", row, changes)


@transaction.atomic
def state_platform(cluster: Cluster, given: Mapping[str, Any], actor: Actor) -> None:
    """Keep what a person states of a cluster's platform; empty: not known."""
    ClusterPlatform.objects.get_or_create(pk=cluster.pk)
    row = ClusterPlatform.objects.select_for_update().get(pk=cluster.pk)
    old = audit.field_values(row, PLATFORM_FIELDS)
    changes = audit.differences(old, {**old, **given})
    if not changes:
        return
    for name, (_, value) in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))
    audit.append_entry(actor, "state platform", row, changes)
