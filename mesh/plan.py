"""What would have to change so that clusters are peers of each other. Changes nothing.

A plan compares what is wanted with what each cluster showed when it was last read, and
where that is not known with the console's own peers. Its hash covers every value and
the revision of every row, so that it can be applied only while it is still true.
"""

from collections.abc import Iterable
from uuid import UUID

from jobs.locks import JobLock
from mesh.models import Shown
from mesh.shown import entry_for, node_names
from mesh.steps import Plan, Step, Values
from mesh.wanted import Credentials, Wanted
from peers import changes, rules
from peers.models import Cluster, Peer
from peers.provisioning import matches
from wire import PeerEntry, Secret, platforms

APPLIED, ABSENT = Peer.ProvisioningState.APPLIED, Peer.ProvisioningState.ABSENT
PENDING, FAILED = Peer.ProvisioningState.PENDING, Peer.ProvisioningState.FAILED


def plan(wanted: Wanted) -> Plan:
    """Compare, both sides of every pair."""
    planner = Planner(wanted)
    return Plan(wanted, tuple(planner.step(*side) for side in wanted.sides))


class Planner:
    """Plans sides, with all that they have in common read once."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        rows = Peer.objects.filter(cluster__in=wanted.clusters).defer("entries")
        held = list(rows.select_related("cluster", "remote_cluster"))
        forget_abandoned(held)
        self.peers = {(peer.cluster_id, peer.remote_cluster_id): peer for peer in held}
        # How often each home cluster has each address; more than once breaks a rule.
        self.addresses: dict[UUID, set[str]] = {}
        for peer in held:
            taken = self.addresses.setdefault(peer.cluster_id, set())
            taken.add(peer.address.casefold())
        self.shown = {row.cluster_id: row for row in Shown.of(wanted.clusters)}
        self.owners = node_names()
        self.users: dict[UUID, Credentials] = {}

    def step(self, home: Cluster, remote: Cluster) -> Step:
        """Plan one side."""
        blocked = tuple(missing(home, remote))
        if blocked:
            return Step("none", home, remote, "", None, None, errors=blocked)
        peer = self.peers.get((home.pk, remote.pk))
        shown, entry = self.entry(home, remote, peer)
        before = self.before(peer, shown, entry)
        kept = before or (values_of(peer) if peer else {})
        after = self.after(home, remote, peer, kept)
        password = self.password(remote, peer, after)
        different = before != after or drifted(peer, shown, entry)
        action = "create" if before is None else "update" if different else "none"
        return Step(
            action,
            home,
            remote,
            after["address"],
            before,
            after,
            warnings=(*side_warnings(home, remote), *drift(peer, shown, entry)),
            errors=tuple(self.errors(home, remote, after, peer)),
            peer=peer,
            password=password,
            read_at=shown.read_at if shown else None,
        )

    def entry(
        self, home: Cluster, remote: Cluster, peer: Peer | None
    ) -> tuple[Shown | None, PeerEntry | None]:
        """What the home cluster showed for a side; a newer edit is not in it yet."""
        shown = self.shown.get(home.pk)
        if shown is None or (peer and shown.read_at < peer.updated_at):
            return None, None
        return shown, entry_for(shown, remote, peer, self.owners)

    def before(
        self, peer: Peer | None, shown: Shown | None, entry: PeerEntry | None
    ) -> Values | None:
        if entry is not None:
            password = "set" if peer and peer.password else "not known"
            return changes.values_of(entry) | {"password": password}
        if peer is None or shown is not None or peer.provisioning_state == ABSENT:
            return None
        return values_of(peer)

    def after(
        self, home: Cluster, remote: Cluster, peer: Peer | None, kept: Values
    ) -> Values:
        """The side as it would be; what nobody asked to change stays as it is."""
        mask = self.wanted.mask_of(home, remote)
        if mask is None:
            mask = (
                peer.external_phone_number_mask
                if peer
                else kept.get("external_phone_number_mask", "")
            )
        chosen = peer is None or remote.pk in self.wanted.credentials
        address = peer.address if peer else kept.get("address", "")
        return {
            "address": address or address_for(home, remote),
            "username": self.user_of(remote).username if chosen else peer.username,  # type: ignore[union-attr]
            "protocol": self.wanted.protocol_of(home, remote),
            "external_phone_number_mask": mask,
            "password": "set",
        }

    def user_of(self, remote: Cluster) -> Credentials:
        """The user with which peers sign in to a cluster; its AXL user if none else."""
        if remote.pk not in self.users:
            self.users[remote.pk] = self.wanted.credentials.get(
                remote.pk
            ) or Credentials(remote.axl_username, remote.unseal("axl_password"))
        return self.users[remote.pk]

    def password(self, remote: Cluster, peer: Peer | None, after: Values) -> Secret:
        """The password to store, empty to keep the one that stands."""
        named = remote.pk in self.wanted.credentials
        if peer and peer.password and not named and not unwritten(peer, remote):
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
        if not self.innocent(home, remote, after["address"], peer):
            draft = peer or Peer(
                cluster=home, remote_cluster=remote, address=after["address"]
            )
            yield from rules.peer_errors(draft).values()

    def innocent(
        self, home: Cluster, remote: Cluster, address: str, peer: Peer | None
    ) -> bool:
        """Whether a side can break no rule, told without asking the database."""
        if peer is not None:
            return not peer.removing
        text = address.casefold()
        return self.owners.get(text) == {remote.pk} and text not in self.addresses.get(
            home.pk, ()
        )


def forget_abandoned(peers: Iterable[Peer]) -> None:
    """Take for unwritten what waits to be written while no job is there to do it."""
    pending = {changes.lock_of(p): p for p in peers if p.provisioning_state == PENDING}
    if not pending:
        return
    locks = JobLock.objects.filter(name__in=pending).values_list("name", flat=True)
    for name in set(pending) - set(locks):
        peer = pending[name]
        peer.provisioning_state = FAILED if peer.applied_address else ABSENT


def unwritten(peer: Peer, remote: Cluster) -> bool:
    """Whether no cluster has the password, which may have been corrected since."""
    absent = peer.provisioning_state == ABSENT and not peer.applied_address
    return absent and peer.username == remote.axl_username


def missing(home: Cluster, remote: Cluster) -> Iterable[str]:
    """What either cluster lacks before it can be planned for at all."""
    for cluster in (home, remote):
        publisher = cluster.publisher
        if publisher is None:
            yield f"{cluster} has no publisher in the console."
        elif not trusted(cluster):
            yield f"The certificate of {publisher} is not confirmed."


def trusted(cluster: Cluster) -> bool:
    publisher = cluster.publisher
    if publisher is None:
        return False
    publisher.cluster = cluster  # spares a query for each side
    return publisher.trusted


def values_of(peer: Peer) -> Values:
    return changes.values_of(peer) | {"password": "set" if peer.password else "missing"}


def address_for(home: Cluster, remote: Cluster) -> str:
    """The remote publisher by the exact name of its node; 7.x wants its address."""
    publisher = remote.publisher
    if publisher is None:
        return ""
    return publisher.address if home.profile.peer_is_ip_only else publisher.name


def side_warnings(home: Cluster, remote: Cluster) -> Iterable[str]:
    if home.version and remote.version:
        if platforms.may_peer(home.version, remote.version) is False:
            # The same words for both directions, so that a page tells it once.
            one, other = sorted((home.version, remote.version))
            yield f"The vendor does not support peers of {one} and {other}."
    else:
        unknown = remote if home.version else home
        yield f"The version of {unknown} is not known: discover it first."
    if home.users_synced is False:
        yield f"The Sync Agent of {home} has not finished its users: {home.user_sync}"
    if not home.direct:
        yield f"{home} is guided: you do its side by hand, as the job will show."


def drifted(peer: Peer | None, shown: Shown | None, entry: PeerEntry | None) -> bool:
    """Whether a peer that was on its cluster is not, or not as it was wanted."""
    if peer is None:
        return False
    if peer.provisioning_state != APPLIED:
        return peer.provisioning_state in (ABSENT, FAILED)
    return shown is not None and not matches(entry, peer)


def drift(peer: Peer | None, shown: Shown | None, entry: PeerEntry | None) -> list[str]:
    """Say what was changed behind the console's back."""
    if peer is None:
        if entry is None:
            return []
        return ["The cluster has this entry already; the console takes it over."]
    if not drifted(peer, shown, entry):
        return []
    if peer.provisioning_state == FAILED:
        return ["The entry could not be written before; it will be tried again."]
    if peer.provisioning_state == ABSENT and not peer.applied_address:
        return ["The entry was never written; it will be now."]
    if entry is None:
        return ["The cluster no longer shows this entry; it will be written again."]
    return ["The entry was changed on the cluster; it will be as this plan says."]
