"""Whether two clusters address their users in the same way, as peers must."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from clusters.models import AddressScheme, Cluster
from wire import plain_host

# Before it, an IM address is always UserID@Default_Domain.
FIRST_WITH_SCHEMES = 10


@dataclass(frozen=True)
class Addressing:
    """How a cluster addresses its users; an empty text is not known.

    Args:
        inferred: nobody stated the scheme; the IM addresses of its users follow it.
    """

    name: str
    domain: str = ""
    scheme: str = ""
    inferred: bool = False

    @classmethod
    def of(cls, cluster: Cluster) -> "Addressing":
        """What is stated, else what the release has, else what was inferred."""
        known = cluster.address_scheme or only_scheme_of(cluster.version)
        return cls(
            cluster.name,
            cluster.domain,
            known or cluster.inferred_scheme,
            not known and bool(cluster.inferred_scheme),
        )

    @property
    def described(self) -> str:
        label = AddressScheme(self.scheme).label
        source = ", inferred from its users" if self.inferred else ""
        return f"{label} on {self.name}{source}"


def only_scheme_of(version: str) -> str:
    """The scheme of a release that has no other."""
    known = 0 < major_release(version) < FIRST_WITH_SCHEMES
    return AddressScheme.USER_ID.value if known else ""


def major_release(version: str) -> int:
    """The first number of a version; 0 where it is not known."""
    number = version.partition(".")[0]
    return int(number) if number.isdecimal() and len(number) < 4 else 0


def different_domains(one: Addressing, other: Addressing) -> str:
    """Say how the presence domains differ, in the same words for both clusters."""
    first, second = in_order(one, other)
    domains = [plain_host(known.domain) for known in (first, second)]
    if not all(domains) or domains[0] == domains[1]:
        return ""
    return (
        f"The presence domains differ: {first.domain} on {first.name}, "
        f"{second.domain} on {second.name}. Clusters that are peers must have the "
        "same default domain."
    )


def different_schemes(one: Addressing, other: Addressing) -> str:
    """Say how the IM address schemes differ; nothing where one is not known."""
    first, second = in_order(one, other)
    if not (first.scheme and second.scheme) or first.scheme == second.scheme:
        return ""
    return (
        f"The IM address schemes differ: {first.described}; {second.described}. "
        "Clusters that are peers must use the same scheme."
    )


def unknown_schemes(one: Addressing, other: Addressing) -> list[str]:
    """The names of the clusters whose scheme is not known."""
    return [known.name for known in in_order(one, other) if not known.scheme]


def in_order(one: Addressing, other: Addressing) -> list[Addressing]:
    return sorted((one, other), key=attrgetter("name"))


def addressing_warnings(one: Cluster, other: Cluster) -> Iterator[str]:
    """Warn of different presence domains and IM address schemes."""
    both = Addressing.of(one), Addressing.of(other)
    yield from filter(None, (different_domains(*both), different_schemes(*both)))
