"""What the profile means for each cluster, to compare with counters and plans."""

from dataclasses import dataclass
from math import ceil

from sizing import capacity
from sizing.deployment import ClusterSize, Deployment
from sizing.load import Synchronization, sync_time


@dataclass(frozen=True)
class Derived:
    """Figures of one cluster at the profile; its users are known.

    Args:
        sessions: what JsmIMSessions of all its nodes shows together.
        federated: the ceiling of partitioned intradomain federation, of one node.
        transfer: of its users to one other cluster; None without a link.
    """

    cluster: ClusterSize
    clients: int
    sessions: int
    export_minutes: int
    federated: capacity.Ceiling
    transfer: Synchronization | None


def derived_sizes(here: Deployment) -> list[Derived]:
    return [of_cluster(one, here) for one in here.counted]


def of_cluster(one: ClusterSize, here: Deployment) -> Derived:
    users, profile = one.users or 0, here.profile
    signed_in = capacity.client_count(users, profile.clients_per_user)
    link = here.link
    return Derived(
        one,
        signed_in,
        capacity.session_count(users, signed_in),
        ceil(capacity.export_minutes(users, profile.contacts_per_user)),
        contact_ceiling(one, profile.contacts_per_user),
        sync_time(users, link * 1000) if link else None,
    )


def contact_ceiling(one: ClusterSize, contacts: float) -> capacity.Ceiling:
    """Of two published thresholds that contradict each other, the lower."""
    small = one.platform is not None and one.platform.users.value <= 1_000
    key, template = ("ova1000", 1_000) if small else ("ova5000", 5_000)
    threshold = capacity.FEDERATED_CONTACTS[key].value
    return capacity.federated_users(contacts, threshold, template)
