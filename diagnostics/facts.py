"""What one collection found out, as plain data that judgements read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from ipaddress import ip_address
from typing import Any

from clusters.ownership import Ownership
from diagnostics.answers import UNASKED, Answer
from diagnostics.user_trail import UserTrail
from pages import PageNotice, PagesStatus, VendorTest
from wire import (
    Certificate,
    PeerEntry,
    Resolution,
    ServiceStatus,
    SipReply,
    plain_host,
    platforms,
)


@dataclass(frozen=True)
class NodeFacts:
    """One node: what it presents, answers and runs."""

    id: str
    name: str
    address: str
    publisher: bool = False
    confirmed: str = ""
    # IP addresses to which its names led at the last discovery.
    resolved: tuple[str, ...] = ()
    connect: Answer[float] = UNASKED
    certificate: Answer[Certificate] = UNASKED
    axl: Answer[int] = UNASKED
    services: Answer[tuple[ServiceStatus, ...]] = UNASKED
    # Asked by the troubleshooter only.
    sip: Mapping[str, Answer[SipReply]] = field(default_factory=dict)
    forward: Answer[tuple[str, ...]] = UNASKED
    backward: Answer[tuple[str, ...]] = UNASKED
    certificate_names: Mapping[str, Answer[tuple[str, ...]]] = field(
        default_factory=dict
    )
    clock_offset: float | None = None
    axl_version: str = ""
    control_center: str = ""

    def service(self, name: str) -> ServiceStatus | None:
        key = platforms.service_key(name)
        services = self.services.value or ()
        return next((s for s in services if platforms.service_key(s.name) == key), None)

    def answer_for(self, name: str) -> Answer[Any]:
        """Give what the Control Center said of one service."""
        return self.services.part(self.service(name) or f"There is no {name}.")

    @property
    def is_address(self) -> bool:
        return is_address(self.name)


@dataclass(frozen=True)
class ProcessNode:
    """A node as the cluster's own processnode table lists it."""

    name: str
    publisher: bool


@dataclass(frozen=True)
class Subcluster:
    """A subcluster, later called presence redundancy group."""

    id: str
    name: str
    ha_enabled: bool


@dataclass(frozen=True)
class HaNode:
    """A node as its place in a subcluster; the state is the cluster's own number."""

    name: str
    subcluster: str
    state: str


@dataclass(frozen=True)
class SyncAgentSettings:
    """Whether the Sync Agent is set up, and what it says of its last round."""

    exists: bool
    status: str = ""


@dataclass(frozen=True)
class ImAddress:
    """A user as the cluster has it: the IM address, and what it may be formed of."""

    userid: str
    im_address: str
    directory_uri: str
    node: str


@dataclass(frozen=True)
class UserFaults:
    """What is wrong with users; each at most 500."""

    duplicate_userids: Answer[tuple[str, ...]] = UNASKED
    duplicate_uris: Answer[tuple[str, ...]] = UNASKED
    duplicate_mails: Answer[tuple[str, ...]] = UNASKED
    without_uri: Answer[tuple[str, ...]] = UNASKED
    with_invalid_uri: Answer[tuple[str, ...]] = UNASKED


@dataclass(frozen=True)
class ClusterFacts:
    """One cluster: its nodes, and what its publisher's database says."""

    id: str
    name: str
    domain: str = ""
    # The IM address scheme that a person stated.
    address_scheme: str = ""
    generation: str | None = None
    direct: bool = False
    nodes: tuple[NodeFacts, ...] = ()
    version: Answer[str] = UNASKED
    process_nodes: Answer[tuple[ProcessNode, ...]] = UNASKED
    users: Answer[Mapping[str, int]] = UNASKED
    peers: Answer[tuple[PeerEntry, ...]] = UNASKED
    # Whether the product's own pages showed the peers, and what their panels say.
    by_pages: bool = False
    page_status: Mapping[str, PagesStatus] = field(default_factory=dict)
    # The rows of the product's own troubleshooter, and its notifications.
    page_tests: Answer[tuple[VendorTest, ...]] = UNASKED
    page_notices: tuple[PageNotice, ...] = ()
    sync_agent: Answer[SyncAgentSettings] = UNASKED
    # The node table, other clusters' nodes among them.
    ha_nodes: Answer[tuple[HaNode, ...]] = UNASKED
    # Asked by the troubleshooter only.
    unassigned: Answer[int] = UNASKED
    subclusters: Answer[tuple[Subcluster, ...]] = UNASKED
    im_addresses: Answer[tuple[ImAddress, ...]] = UNASKED
    user_faults: UserFaults = UserFaults()
    # What it was asked with (clusters.editions); empty where that is not said.
    edition: str = ""

    @property
    def publisher(self) -> NodeFacts | None:
        return next((node for node in self.nodes if node.publisher), None)

    @property
    def profile(self) -> platforms.Profile:
        known = self.generation in platforms.GENERATIONS
        return platforms.profile_of(self.generation if known else "imp")

    # A mesh asks for these a hundred thousand times; the facts never change.
    @cached_property
    def names(self) -> frozenset[str]:
        """All names and addresses that are known to be nodes of this cluster."""
        ours = {
            text
            for node in self.nodes
            for text in (node.name, node.address, *node.resolved)
        }
        listed = {node.name for node in self.process_nodes.value or ()}
        return frozenset(text.casefold() for text in ours | listed)

    @cached_property
    def _own(self) -> Ownership[str]:
        return Ownership((name, self.id) for name in self.names)

    @cached_property
    def machines(self) -> Ownership[str]:
        """Which of the nodes each name and address is: the spellings of one machine."""
        return Ownership(
            (text, node.id)
            for node in self.nodes
            for text in (node.name, node.address, *node.resolved)
        )

    def owns(self, host: str) -> bool:
        """Whether the cluster itself means one of its nodes by this name."""
        return bool(self._own.candidates(host))

    @cached_property
    def counted(self) -> Mapping[str, int] | None:
        """Users per listed node; with a count below nothing, none is understood."""
        counts = self.users.value
        if counts is None or any(n < 0 for n in counts.values()):
            return None
        return {name: n for name, n in counts.items() if name}

    @property
    def unlisted(self) -> int:
        """Users on nodes that the node table does not list: whose is not known."""
        return (self.users.value or {}).get("", 0)

    def _known_sum(self, names: Iterable[str]) -> int | None:
        """Count the users on these nodes; no 0 while unlisted ones may be theirs."""
        total = sum((self.counted or {})[name] for name in names)
        return total or (None if self.unlisted else 0)

    def own_users(self) -> int | None:
        """Count the users on this cluster's own nodes."""
        if self.counted is None:
            return None
        return self._known_sum(name for name in self.counted if self.owns(name))

    def users_of(self, other: "ClusterFacts", owners: Ownership[str]) -> int | None:
        """Count the users here whose home node is one of the other cluster's.

        The same rule of names as `own_users`; a name that both could claim is ours,
        and with one that a third could claim too the number is not known.
        """
        if self.counted is None:
            return None
        strange = [name for name in self.counted if not self.owns(name)]
        theirs = [name for name in strange if other.id in owners.candidates(name)]
        if any(owners.of(name) is None for name in theirs):
            return None
        return self._known_sum(theirs)

    @cached_property
    def entries(self) -> Mapping[str, PeerEntry]:
        """The cluster's own peer table by address as it is compared."""
        return {plain_host(entry.address): entry for entry in self.peers.value or ()}

    def entries_for(
        self, other: "ClusterFacts", owners: Ownership[str]
    ) -> tuple[PeerEntry, ...]:
        """Find the entries in this cluster's peer table that point to another."""
        entries = self.peers.value or ()
        return tuple(one for one in entries if owners.of(one.address) == other.id)


@dataclass(frozen=True)
class Attestation:
    """A person's word that the entry stands on the cluster as the console has it."""

    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True)
class PeerFacts:
    """One peer as the console holds it, and how its address answers."""

    id: str
    home: str
    remote: str | None
    address: str
    username: str = ""
    protocol: str = "TCP"
    mask: str = ""
    added_at: datetime | None = None
    trail: UserTrail = UserTrail()
    attested: Attestation | None = None
    # Which of its edits was checked; 0 where that is not said.
    revision: int = 0
    # Names of values that nobody has seen on the cluster yet.
    assumed: tuple[str, ...] = ()
    # The remote node that the address leads to, where it is a managed one.
    target: str | None = None
    resolution: Answer[Resolution] = UNASKED
    connect: Answer[float] = UNASKED
    certificate: Answer[Certificate] = UNASKED
    axl: Answer[int] = UNASKED
    sip: Answer[SipReply] = UNASKED


@dataclass(frozen=True)
class ExchangedTrust:
    """Whether the home cluster of a peer trusts the remote one's certificates.

    Args:
        outcome: `passed failed warning unknown`, expiry included.
        days: until the first of them expires.
        at: when the trust lists were read.
    """

    outcome: str
    days: int | None = None
    problem: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """Everything that one run collected."""

    at: datetime
    clusters: Mapping[str, ClusterFacts]
    peers: Mapping[str, PeerFacts] = field(default_factory=dict)
    # Every peer that the console holds between these clusters, tried or not.
    held: Mapping[tuple[str, str], PeerFacts] = field(default_factory=dict)
    # Clusters of the console that were not asked: only their nodes' names are known.
    bystanders: tuple[ClusterFacts, ...] = ()
    # Values that users of several clusters share, by kind, as the directory has them.
    shared: Mapping[str, Answer[tuple[str, ...]]] = field(default_factory=dict)
    # By home and remote cluster, as the certificates were read last.
    exchanged: Mapping[tuple[str, str], ExchangedTrust] = field(default_factory=dict)
    # DNS servers of the console that kept silent while another one answered.
    silent_servers: tuple[str, ...] = ()
    # The clusters whose users the directory has not read.
    unread: tuple[str, ...] = ()

    @property
    def everybody(self) -> tuple[ClusterFacts, ...]:
        return (*self.clusters.values(), *self.bystanders)

    @cached_property
    def owners(self) -> Ownership[str]:
        """Whose node each name is, of all clusters that are known here."""
        return ownership_of(self.everybody)

    @property
    def every_peer(self) -> Iterator[PeerFacts]:
        """Give every peer of the console once, tried or only held."""
        yield from self.peers.values()
        yield from (one for one in self.held.values() if one.id not in self.peers)

    def peer_of(self, home: str, remote: str) -> PeerFacts | None:
        """Find the console's own peer from one cluster to another."""
        return self.held.get((home, remote))


def merge_facts(mine: Facts, others: Sequence[Facts]) -> Facts:
    """Put together what was asked here and elsewhere; its age is that of the oldest."""
    every = [mine, *others]
    return replace(
        mine,
        at=min(one.at for one in every),
        clusters={pk: found for one in every for pk, found in one.clusters.items()},
        peers={pk: found for one in every for pk, found in one.peers.items()},
        silent_servers=tuple(
            dict.fromkeys(server for one in every for server in one.silent_servers)
        ),
    )


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def ownership_of(clusters: Iterable[ClusterFacts]) -> Ownership[str]:
    return Ownership((name, one.id) for one in clusters for name in one.names)


def is_among(host: str, names: Iterable[str]) -> bool:
    """Tell whether a host is among these names, a short host name included."""
    return bool(Ownership((name, True) for name in names).candidates(host))
