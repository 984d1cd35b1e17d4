"""What would have to change so that clusters are peers of each other. Changes nothing.

A plan compares what is wanted with what each cluster showed when it was last read, and
where that is not known with the console's own peers. Its hash covers every value and
the revision of every row, so that it can be applied only while it is still true.
"""

from collections.abc import Iterable
from uuid import UUID

from clusters.addressing import addressing_warnings
from clusters.inventory import machine_ownership, node_ownership
from clusters.models import Cluster
from clusters.ownership import Ownership
from clusters.rules import sentences_of
from jobs.locks import JobLock
from mesh.entry_changes import EntryChange, MeshPlan, Values
from mesh.intent import Credentials, MeshIntent, peering_user
from mesh.models import ObservedPeerTable, PlannedEntry
from mesh.observed import entry_for
from peers import rules
from peers.entries import matches_peer
from peers.locks import lock_of
from peers.models import Peer
from peers.values import visible_values
from wire import PeerEntry, Secret, address_of, platforms
from wire.platforms import Peering

ADOPTED = "This entry already exists; the console will adopt it."
TRIED_AGAIN = "The entry could not be written before; it will be tried again."
NEVER_WRITTEN = "The entry was never written; it will be now."
REMOVED = "The cluster no longer shows this entry; it will be written again."
CHANGED = "The entry was changed on the cluster; it will be as this plan says."

APPLIED, ABSENT = Peer.ProvisioningState.APPLIED, Peer.ProvisioningState.ABSENT
PENDING, FAILED = Peer.ProvisioningState.PENDING, Peer.ProvisioningState.FAILED


def plan_mesh(intent: MeshIntent) -> MeshPlan:
    """Compare, both entries of every pair."""
    planner = Planner(intent)
    return MeshPlan(intent, tuple(planner.step(*pair) for pair in intent.directions))


class Planner:
    """Plans entries, with all that they have in common read once."""

    def __init__(self, intent: MeshIntent) -> None:
        self.intent = intent
        rows = Peer.objects.filter(cluster__in=intent.clusters).defer("entries")
        held = list(rows.select_related("cluster", "remote_cluster"))
        forget_abandoned(held)
        self.peers = {(peer.cluster_id, peer.remote_cluster_id): peer for peer in held}
        # How often each home cluster has each address; more than once breaks a rule.
        self.addresses: dict[UUID, set[str]] = {}
        for peer in held:
            used = self.addresses.setdefault(peer.cluster_id, set())
            used.add(peer.address.casefold())
        self.tables = {
            row.cluster_id: row for row in ObservedPeerTable.of(intent.clusters)
        }
        # What an unfinished job is about to make the desired entries.
        self.waiting = {
            (entry.home_id, entry.remote_id): entry.values
            for entry in PlannedEntry.waiting(intent.clusters)
        }
        self.owners, self.machines = node_ownership(), machine_ownership()
        self.users: dict[UUID, Credentials] = {}

    def step(self, home: Cluster, remote: Cluster) -> EntryChange:
        """Plan one entry."""
        blocked = tuple(missing_for(home, remote))
        if blocked:
            return EntryChange("none", home, remote, "", None, None, errors=blocked)
        peer = self.peers.get((home.pk, remote.pk))
        table, entry = self.entry(home, remote, peer)
        waiting = self.waiting.get((home.pk, remote.pk))
        before = waiting or self.before(peer, table, entry)
        existing = before or (planned_values(peer) if peer else {})
        after = self.after(home, remote, peer, existing)
        password = self.password(remote, peer, after)
        if waiting:
            new_password = after["password"]
            before = waiting | {
                "password": "set" if new_password == "changed" else new_password
            }
        changed = not waiting and has_drifted(peer, table, entry, self.machines)
        drift = drift_warnings(peer, entry) if changed or not peer else ()
        different = before != after or changed
        action = "create" if before is None else "update" if different else "none"
        return EntryChange(
            action,
            home,
            remote,
            after["address"],
            before,
            after,
            warnings=(*direction_warnings(home, remote), *drift),
            errors=tuple(self.errors(home, remote, after, peer)),
            peer=peer,
            password=password,
            read_at=table.read_at if table else None,
        )

    def entry(
        self, home: Cluster, remote: Cluster, peer: Peer | None
    ) -> tuple[ObservedPeerTable | None, PeerEntry | None]:
        """What the home cluster showed for an entry; a newer edit is not in it yet."""
        table = self.tables.get(home.pk)
        if table is None or (peer and table.read_at < peer.updated_at):
            return None, None
        return table, entry_for(table, remote, peer, self.owners, self.machines)

    def before(
        self,
        peer: Peer | None,
        table: ObservedPeerTable | None,
        entry: PeerEntry | None,
    ) -> Values | None:
        if entry is not None:
            password = "set" if peer and peer.password else "not known"
            return visible_values(entry) | {"password": password}
        if peer is None or table is not None or never_written(peer):
            return None
        return planned_values(peer)

    def after(
        self, home: Cluster, remote: Cluster, peer: Peer | None, existing: Values
    ) -> Values:
        """The entry as it would be; what nobody asked to change stays as it is."""
        mask = self.intent.mask_of(home, remote)
        if mask is None:
            mask = (
                peer.external_phone_number_mask
                if peer
                else existing.get("external_phone_number_mask", "")
            )
        return {
            "address": self.address(peer, existing) or address_for(home, remote),
            "username": self.username(remote, peer, existing),
            "protocol": self.intent.protocol_of(home, remote),
            "external_phone_number_mask": mask,
            "password": "set",
        }

    def address(self, peer: Peer | None, existing: Values) -> str:
        """The address of an entry; another spelling of one node stays as it is."""
        stored = existing.get("address", "")
        if peer is None:
            return stored
        is_applied = peer.provisioning_state == APPLIED
        alike = is_applied and self.machines.same(stored, peer.address)
        return stored if alike else peer.address

    def username(self, remote: Cluster, peer: Peer | None, existing: Values) -> str:
        """The user of an entry: the one asked for, otherwise the one that it has."""
        if remote.pk in self.intent.credentials:
            return self.user_of(remote).username
        stored = peer.username if peer else existing.get("username", "")
        return stored or self.user_of(remote).username

    def user_of(self, remote: Cluster) -> Credentials:
        """The user with which peers sign in to a cluster; as asked, else its own."""
        if remote.pk not in self.users:
            given = self.intent.credentials.get(remote.pk)
            self.users[remote.pk] = given or peering_user(remote)
        return self.users[remote.pk]

    def password(self, remote: Cluster, peer: Peer | None, after: Values) -> Secret:
        """The password to store, empty to keep the one that stands."""
        named = remote.pk in self.intent.credentials
        if peer and peer.password and not named and not is_unwritten(peer, remote):
            return Secret("")
        if self.user_of(remote).username != after["username"]:
            # The entry has a user whose password nobody has told the console.
            after["password"] = "set" if peer and peer.password else "not known"
            return Secret("")
        password = self.user_of(remote).password
        if peer and peer.password and peer.unseal("password") != password:
            after["password"] = "changed"
        return password

    def errors(
        self, home: Cluster, remote: Cluster, after: Values, peer: Peer | None
    ) -> Iterable[str]:
        mask = after["external_phone_number_mask"]
        if mask and not home.profile.has_mask:
            yield f"{home} has no external phone number mask."
        if not self.passes_without_rules(home, remote, after["address"], peer):
            draft = peer or Peer(
                cluster=home, remote_cluster=remote, address=after["address"]
            )
            yield from sentences_of(rules.peer_errors(draft))

    def passes_without_rules(
        self, home: Cluster, remote: Cluster, address: str, peer: Peer | None
    ) -> bool:
        """Whether an entry can break no rule, without asking the database."""
        if peer is not None:
            return not peer.removing
        text = address.casefold()
        return self.owners.of(text) == remote.pk and text not in self.addresses.get(
            home.pk, ()
        )


def forget_abandoned(peers: Iterable[Peer]) -> None:
    """Take for unwritten what waits to be written while no job is there to do it."""
    pending = {lock_of(p): p for p in peers if p.provisioning_state == PENDING}
    if not pending:
        return
    locks = JobLock.objects.filter(name__in=pending).values_list("name", flat=True)
    for name in set(pending) - set(locks):
        pending[name].presume_unwritten()


def never_written(peer: Peer) -> bool:
    """Whether no cluster has the entry; one that a failed write left is read first."""
    failed = peer.provisioning_state == FAILED and not peer.applied_address
    return failed or peer.provisioning_state == ABSENT


def is_unwritten(peer: Peer, remote: Cluster) -> bool:
    """Whether no cluster has the password, which may have been corrected since."""
    absent = peer.provisioning_state == ABSENT and not peer.applied_address
    return absent and peer.username == remote.axl_username


def missing_for(home: Cluster, remote: Cluster) -> Iterable[str]:
    """What either cluster lacks before it can be planned for at all."""
    for cluster in (home, remote):
        publisher = cluster.publisher
        if publisher is None:
            yield f"{cluster} has no publisher in the console."
            continue
        publisher.cluster = cluster  # spares a query for each entry
        if not publisher.trusted:
            yield f"The certificate of {publisher} is not confirmed."


def planned_values(peer: Peer) -> Values:
    return visible_values(peer) | {"password": "set" if peer.password else "missing"}


def address_for(home: Cluster, remote: Cluster) -> str:
    """The remote publisher by the exact name of its node; 7.x wants its address."""
    publisher = remote.publisher
    if publisher is None:
        return ""
    if not home.profile.peer_is_ip_only:
        return publisher.name
    known = (publisher.address, *publisher.resolved.split())
    addresses = [one for one in known if address_of(one)]
    # A release of IP addresses only is one of IPv4.
    return min(addresses, key=lambda one: ":" in one, default=publisher.address)


def direction_warnings(home: Cluster, remote: Cluster) -> Iterable[str]:
    yield from addressing_warnings(home, remote)
    if home.version and remote.version:
        yield from version_warnings(*sorted((home.version, remote.version)))
    else:
        unknown = remote if home.version else home
        yield f"The version of {unknown} is not known: discover it first."
    if home.users_synced is False:
        yield f"The Sync Agent of {home} has not finished its users: {home.user_sync}"
    if not home.written:
        yield f"{home} uses guided provisioning: the job shows the steps to perform."


def version_warnings(one: str, other: str) -> Iterable[str]:
    """Sorted by the caller, so that both directions have the same words."""
    try:
        published = platforms.peering_of(one, other)
    except ValueError:
        published = Peering.UNKNOWN
    if published is Peering.UPGRADE:
        yield f"{one} and {other} may peer only during a staged upgrade."
    elif published is Peering.UNSUPPORTED:
        yield f"The vendor does not support peers of {one} and {other}."


def has_drifted(
    peer: Peer | None,
    table: ObservedPeerTable | None,
    entry: PeerEntry | None,
    machines: Ownership[UUID],
) -> bool:
    """Whether a peer that was on its cluster is not, or not as it was wanted."""
    if peer is None:
        return False
    if peer.provisioning_state != APPLIED:
        return peer.provisioning_state in (ABSENT, FAILED)
    return table is not None and not matches_peer(entry, peer, machines)


def drift_warnings(peer: Peer | None, entry: PeerEntry | None) -> list[str]:
    """Say what was changed behind the console's back."""
    if peer is None:
        if entry is None:
            return []
        return [ADOPTED]
    if peer.provisioning_state == FAILED:
        return [TRIED_AGAIN]
    if peer.provisioning_state == ABSENT and not peer.applied_address:
        return [NEVER_WRITTEN]
    if entry is None:
        return [REMOVED]
    return [CHANGED]
