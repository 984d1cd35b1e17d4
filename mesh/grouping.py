"""Which nodes of clusters that nobody manages belong together.

A cluster does not say to which other cluster a node belongs. Two names are taken for
one cluster when

- they are spellings of one node: the same name, a short name and the only full name
  that begins with it, or a name and an address that DNS gives for it;
- a cluster lists both nodes in one subcluster, which never spans clusters;
- they differ only in the words for publisher and subscriber and a number, in the same
  domain, the same clusters have users of both, and no cluster has an entry for each.

The last rule is a convention of names, not knowledge. Where it errs, the other nodes
are listed again once the first cluster has been added and read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from clusters.models import Cluster
from clusters.ownership import Ownership
from mesh.node_names import role_of
from wire import plain_host

TABLE, PAGES, USERS, NODES = "table", "pages", "users", "nodes"

# A mesh of 30 clusters has some 200 nodes; more is no mesh.
MOST_NODES = 1000


@dataclass(frozen=True)
class Trace:
    """A name under which a managed cluster shows a node of another one.

    Args:
        by: `table` or `pages` for an entry, `users`, or `nodes` for the node table.
        subcluster: in the node table, where that says one.
    """

    home: Cluster
    name: str
    by: str
    at: datetime
    users: int | None = None
    subcluster: str = ""


def group_traces(
    traces: Iterable[Trace], addresses: Mapping[str, Iterable[str]]
) -> list[list[Trace]]:
    """Put the traces of one cluster together.

    Args:
        addresses: what DNS gives for names.
    """
    by_name: dict[str, list[Trace]] = {}
    for one in traces:
        by_name.setdefault(plain_host(one.name), []).append(one)
    groups = Groups({name: by_name[name] for name in sorted(by_name)[:MOST_NODES]})
    groups.join_spellings(addresses)
    groups.join_subclusters()
    groups.join_roles()
    return groups.all()


class Groups:
    """Names, each in one group; joining two groups makes them one."""

    def __init__(self, by_name: Mapping[str, list[Trace]]) -> None:
        self.by_name = by_name
        self.group = {name: frozenset({name}) for name in by_name}

    def all(self) -> list[list[Trace]]:
        return [
            [one for name in sorted(names) for one in self.by_name[name]]
            for names in sorted(set(self.group.values()), key=sorted)
        ]

    def join(self, one: str, other: str) -> None:
        whole = self.group[one] | self.group[other]
        self.group.update(dict.fromkeys(whole, whole))

    def join_spellings(self, addresses: Mapping[str, Iterable[str]]) -> None:
        full = Ownership(
            (text, plain_host(name))
            for name in self.by_name
            for text in (name, *addresses.get(name, ()))
            if "." in name or ":" in name
        )
        for name in self.by_name:
            owner = full.of(name)
            if owner is not None and owner in self.by_name:
                self.join(name, owner)
        for name, ips in addresses.items():
            for ip in map(plain_host, ips):
                host = plain_host(name)
                if host in self.by_name and ip in self.by_name:
                    self.join(host, ip)

    def join_subclusters(self) -> None:
        first: dict[tuple[UUID, str], str] = {}
        for name, traces in self.by_name.items():
            for one in traces:
                if one.subcluster:
                    key = one.home.pk, one.subcluster
                    self.join(first.setdefault(key, name), name)

    def join_roles(self) -> None:
        stems: dict[tuple[str, str], list[str]] = {}
        for name in self.by_name:
            if found := role_of(name):
                stems.setdefault((found[0], found[2]), []).append(name)
        for names in stems.values():
            first: list[str] = []
            for name in sorted(names):
                same = next((one for one in first if self.alike(one, name)), None)
                if same:
                    self.join(same, name)
                else:
                    first.append(name)

    def alike(self, one: str, other: str) -> bool:
        """Whether what clusters show of two groups lets them be one cluster."""
        here, there = self.homes(one, USERS), self.homes(other, USERS)
        if here and there and here != there:
            return False
        entries = self.homes(one, TABLE, PAGES), self.homes(other, TABLE, PAGES)
        return self.group[one] == self.group[other] or entries[0].isdisjoint(entries[1])

    def homes(self, name: str, *kinds: str) -> set[UUID]:
        """The clusters that show something of a group in one of these ways."""
        traces = (one for n in self.group[name] for one in self.by_name[n])
        return {t.home.pk for t in traces if t.by in kinds and t.users != 0}
