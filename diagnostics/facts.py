"""What one collection found out, as plain data that judgements read.

A value that could not be had stands beside the reason; nothing is ever guessed, so
that unknown can never be taken for good.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from ipaddress import ip_address
from typing import Any, Generic, TypeVar

from wire import (
    Certificate,
    PeerEntry,
    Resolution,
    ServiceStatus,
    SipReply,
    WireError,
    platforms,
)

T = TypeVar("T", covariant=True)


@dataclass(frozen=True)
class Failure:
    """Why something could not be had: a code of wire.Code, and words for a person."""

    code: str
    message: str
    remedy: str = ""
    detail: str = ""

    @classmethod
    def of(cls, error: WireError) -> "Failure":
        return cls(error.code.value, error.message, error.remedy, error.detail)


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A value, or the failure to get it; neither of them: it was not asked."""

    value: T | None = None
    failure: Failure | None = None
    duration_ms: float | None = None
    at: datetime | None = field(default=None, compare=False)

    @property
    def known(self) -> bool:
        return self.value is not None

    @property
    def code(self) -> str:
        return self.failure.code if self.failure else ""

    @property
    def reason(self) -> str:
        """Say why there is no value."""
        return self.failure.message if self.failure else "It was not asked."

    @property
    def remedy(self) -> str:
        return self.failure.remedy if self.failure else ""

    def part(self, value: Any) -> "Answer[Any]":
        """Give what of this answer a judgement looked at."""
        return replace(self, value=value) if self.known else self


UNASKED: Answer[Any] = Answer()


@dataclass(frozen=True)
class NodeFacts:
    """One node: what it presents, answers and runs."""

    id: str
    name: str
    address: str
    publisher: bool = False
    confirmed: str = ""
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
        wanted = name.casefold()
        found = (s for s in self.services.value or () if s.name.casefold() == wanted)
        return next(found, None)

    def told_of(self, name: str) -> Answer[Any]:
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
    generation: str | None = None
    direct: bool = False
    nodes: tuple[NodeFacts, ...] = ()
    version: Answer[str] = UNASKED
    process_nodes: Answer[tuple[ProcessNode, ...]] = UNASKED
    users: Answer[Mapping[str, int]] = UNASKED
    peers: Answer[tuple[PeerEntry, ...]] = UNASKED
    sync_agent: Answer[SyncAgentSettings] = UNASKED
    # Asked by the troubleshooter only.
    unassigned: Answer[int] = UNASKED
    subclusters: Answer[tuple[Subcluster, ...]] = UNASKED
    ha_nodes: Answer[tuple[HaNode, ...]] = UNASKED
    user_faults: UserFaults = UserFaults()

    @property
    def publisher(self) -> NodeFacts | None:
        return next((node for node in self.nodes if node.publisher), None)

    @property
    def profile(self) -> platforms.Profile:
        known = self.generation in platforms.GENERATIONS
        return platforms.profile(self.generation if known else "imp")

    # A mesh asks for these a hundred thousand times; the facts never change.
    @cached_property
    def names(self) -> frozenset[str]:
        """All names and addresses that are known to be nodes of this cluster."""
        ours = {text for node in self.nodes for text in (node.name, node.address)}
        listed = {node.name for node in self.process_nodes.value or ()}
        return frozenset(text.casefold() for text in ours | listed)

    def owns(self, host: str) -> bool:
        return belongs(host, self.names)

    @cached_property
    def counted(self) -> Mapping[str, int] | None:
        """Users per node; a count below nothing was not understood, so none is."""
        counts = self.users.value
        return None if counts is None or any(n < 0 for n in counts.values()) else counts

    def own_users(self) -> int | None:
        """Count the users on this cluster's own nodes."""
        if self.counted is None:
            return None
        return sum(n for name, n in self.counted.items() if self.owns(name))

    def users_of(self, other: "ClusterFacts") -> int | None:
        """Count the users here whose home node is one of the other cluster's.

        The same rule of names as `own_users`; a name that both could claim is ours.
        """
        if self.counted is None:
            return None
        return sum(
            count
            for name, count in self.counted.items()
            if other.owns(name) and not self.owns(name)
        )

    @cached_property
    def entries(self) -> Mapping[str, PeerEntry]:
        """The cluster's own peer table by address in lower case."""
        return {entry.address.casefold(): entry for entry in self.peers.value or ()}

    def entry_for(self, other: "ClusterFacts") -> PeerEntry | None:
        """Find the entry in this cluster's peer table that points to another."""
        entries = self.peers.value or ()
        return next((entry for entry in entries if other.owns(entry.address)), None)


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
    # The remote node that the address leads to, where it is a managed one.
    target: str | None = None
    resolution: Answer[Resolution] = UNASKED
    connect: Answer[float] = UNASKED
    certificate: Answer[Certificate] = UNASKED
    axl: Answer[int] = UNASKED
    sip: Answer[SipReply] = UNASKED


@dataclass(frozen=True)
class Facts:
    """Everything that one run collected."""

    at: datetime
    clusters: Mapping[str, ClusterFacts]
    peers: Mapping[str, PeerFacts] = field(default_factory=dict)
    # Every peer that the console holds between these clusters, tried or not.
    held: Mapping[tuple[str, str], PeerFacts] = field(default_factory=dict)
    # When the two counts of a peer were last seen equal, by the peer's id.
    equal_at: Mapping[str, datetime | None] = field(default_factory=dict)
    # Clusters of the console that were not asked: only their nodes' names are known.
    bystanders: tuple[ClusterFacts, ...] = ()
    # Values that users of several clusters share, by kind, as the directory has them.
    shared: Mapping[str, Answer[tuple[str, ...]]] = field(default_factory=dict)
    # The clusters whose users the directory has not read.
    unread: tuple[str, ...] = ()

    @property
    def everybody(self) -> tuple[ClusterFacts, ...]:
        return (*self.clusters.values(), *self.bystanders)

    @property
    def every_peer(self) -> Iterator[PeerFacts]:
        """Give every peer of the console once, tried or only held."""
        yield from self.peers.values()
        yield from (one for one in self.held.values() if one.id not in self.peers)

    def peer_of(self, home: str, remote: str) -> PeerFacts | None:
        """Find the console's own peer from one cluster to another."""
        return self.held.get((home, remote))


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def belongs(host: str, names: Iterable[str]) -> bool:
    """Tell whether a host is among these names, a short host name included."""
    host = host.casefold().rstrip(".")
    if host in names:
        return True
    if "." in host or ":" in host:
        return False
    return any(name.split(".")[0] == host for name in names if not is_address(name))
