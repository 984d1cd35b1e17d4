"""Who trusts whom: pure functions over what nodes present and trust.

What is not known whole proves no absence: a list with an entry that could not be read,
or one that was read too long ago, shows what it holds and nothing about the rest.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

# The services whose certificates clusters exchange.
SERVICES = ("tomcat", "cup", "cup-xmpp")
# The vendor's own notice is 30 days.
SOON_DAYS = 30
# What was read longer ago says nothing about now.
FRESH = timedelta(days=3)
# A certificate authority is seldom more than two above.
_LONGEST_CHAIN = 4


class TrustState(StrEnum):
    """Whether a certificate is trusted, in the words of the REST contract."""

    TRUSTED = "trusted"
    MISSING = "missing"
    OLD = "old"
    UNKNOWN = "unknown"


class TrustOutcome(StrEnum):
    """What that means, expiry included, in the words of all pages."""

    FAILED = "failed"
    WARNING = "warning"
    UNKNOWN = "unknown"
    PASSED = "passed"


WORST_STATE = (
    TrustState.MISSING,
    TrustState.OLD,
    TrustState.UNKNOWN,
    TrustState.TRUSTED,
)
WORST = tuple(TrustOutcome)


@dataclass(frozen=True)
class Held:
    """A certificate, as far as a judgement needs it."""

    id: int
    fingerprint: str
    subject: str
    issuer: str
    common_name: str
    not_after: datetime
    key_hash: str
    signer_key: str

    def days_left(self, now: datetime) -> int:
        """Give the whole days until it expires, negative after."""
        return (self.not_after - now).days


@dataclass(frozen=True)
class Shelf:
    """All known certificates."""

    by_id: Mapping[int, Held] = field(default_factory=dict)

    @cached_property
    def by_key(self) -> Mapping[str, tuple[Held, ...]]:
        found: dict[str, tuple[Held, ...]] = {}
        for one in self.by_id.values():
            found[one.key_hash] = (*found.get(one.key_hash, ()), one)
        return found

    @cached_property
    def by_name(self) -> Mapping[str, frozenset[int]]:
        found: dict[str, set[int]] = {}
        for one in self.by_id.values():
            if one.common_name:
                found.setdefault(one.common_name.casefold(), set()).add(one.id)
        return {name: frozenset(ids) for name, ids in found.items()}

    def signers(self, one: Held) -> tuple[Held, ...]:
        """Give the certificates of the authority that signed this one."""
        found = self.by_key.get(one.signer_key, ()) if one.signer_key else ()
        return tuple(other for other in found if other.subject == one.issuer)

    def namesakes(self, one: Held) -> frozenset[int]:
        return self.by_name.get(one.common_name.casefold(), frozenset())


@dataclass(frozen=True)
class TrustStore:
    """The certificates that a node trusts for one service."""

    ids: frozenset[int] = frozenset()
    whole: bool = True


@dataclass(frozen=True)
class TrustNode:
    """One node, as it was read last."""

    id: str
    name: str
    cluster: str
    # None: it presents one that was not understood.
    identities: Mapping[str, Held | None] = field(default_factory=dict)
    trusts: Mapping[str, TrustStore] = field(default_factory=dict)
    seen_by: str = ""
    seen_at: datetime | None = None
    xmpp: bool = True
    # Why the trust lists are not known.
    problem: str = ""

    def is_fresh(self, now: datetime) -> bool:
        return self.seen_at is not None and now - self.seen_at <= FRESH

    @property
    def services(self) -> tuple[str, ...]:
        """The services that must be trusted elsewhere, as far as that is known."""
        if self.seen_by == "rest":
            return tuple(name for name in SERVICES if name in self.identities)
        return SERVICES if self.xmpp else SERVICES[:2]


@dataclass(frozen=True)
class TrustCheck:
    """Whether one node trusts the certificate of a service of a remote node."""

    home: TrustNode
    remote: TrustNode
    service: str
    certificate: Held | None
    state: TrustState
    days: int | None

    @property
    def outcome(self) -> TrustOutcome:
        return outcome_of(self.state, self.days)


def outcome_of(state: TrustState, days: int | None) -> TrustOutcome:
    """What a state means: a certificate that has expired is no good, trusted or not."""
    if state in (TrustState.MISSING, TrustState.OLD) or (days is not None and days < 0):
        return TrustOutcome.FAILED
    if days is not None and days <= SOON_DAYS:
        return TrustOutcome.WARNING
    return TrustOutcome.UNKNOWN if state is TrustState.UNKNOWN else TrustOutcome.PASSED


def state_of(
    certificate: Held | None, store: TrustStore | None, shelf: Shelf
) -> TrustState:
    """Whether a trust list holds a certificate, or an authority above it."""
    if certificate is None or store is None:
        return TrustState.UNKNOWN
    if certificate.id in store.ids or vouched_for(certificate, store, shelf):
        return TrustState.TRUSTED
    if not store.whole:
        return TrustState.UNKNOWN
    return (
        TrustState.OLD
        if shelf.namesakes(certificate) & store.ids
        else TrustState.MISSING
    )


def vouched_for(certificate: Held, store: TrustStore, shelf: Shelf) -> bool:
    """Whether the list holds an authority from which the certificate comes."""
    above = [certificate]
    for _ in range(_LONGEST_CHAIN):
        above = [other for one in above for other in shelf.signers(one)]
        if any(one.id in store.ids for one in above):
            return True
    return False


def checks_of(
    home: TrustNode, remote: Iterable[TrustNode], shelf: Shelf, now: datetime
) -> Iterator[TrustCheck]:
    """Judge one node against all certificates of the nodes of a remote cluster."""
    fresh = home.is_fresh(now)
    for node in remote:
        seen = node.is_fresh(now)
        for service in node.services:
            certificate = node.identities.get(service) if seen else None
            store = home.trusts.get(service) if fresh else None
            state = state_of(certificate, store, shelf)
            days = certificate.days_left(now) if certificate else None
            yield TrustCheck(home, node, service, certificate, state, days)


@dataclass(frozen=True)
class Sum:
    """Several checks as one: the worst state and outcome, and the first to expire."""

    checks: tuple[TrustCheck, ...]

    @cached_property
    def state(self) -> TrustState:
        found = {one.state for one in self.checks}
        return next((one for one in WORST_STATE if one in found), TrustState.UNKNOWN)

    @cached_property
    def outcome(self) -> TrustOutcome:
        found = {one.outcome for one in self.checks}
        return next((one for one in WORST if one in found), TrustOutcome.UNKNOWN)

    @cached_property
    def days(self) -> int | None:
        return min(
            (one.days for one in self.checks if one.days is not None), default=None
        )

    @cached_property
    def wrong(self) -> tuple[TrustCheck, ...]:
        return tuple(one for one in self.checks if one.outcome is TrustOutcome.FAILED)
