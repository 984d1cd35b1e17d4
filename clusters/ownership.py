"""Whose node an address is: one answer for rules, imports, plans and checks."""

from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import Generic, TypeVar

from wire import address_of, plain_host

K = TypeVar("K", bound=Hashable)


@lru_cache(maxsize=16_384)
def short_name(host: str) -> str:
    """The first part of a full name; empty for an address and for a short name."""
    host = plain_host(host)
    label, dot, _ = host.partition(".")
    return label if dot and not address_of(host) else ""


def spellings_of(host: str) -> set[str]:
    """What a peer that leads to this node may have as its address."""
    return {plain_host(host), short_name(host)} - {""}


class Ownership(Generic[K]):
    """Whose node a name or an address is: that of exactly one owner, else nobody's.

    A host name without a domain is the full name that begins with it, unless a node
    has just that short name.
    """

    def __init__(self, names: Iterable[tuple[str, K]] = ()) -> None:
        self._names: dict[str, set[K]] = {}
        self._short: dict[str, set[K]] = {}
        for name, owner in names:
            self._names.setdefault(plain_host(name), set()).add(owner)
            if short := short_name(name):
                self._short.setdefault(short, set()).add(owner)

    def of(self, host: str) -> K | None:
        found = self.candidates(host)
        return next(iter(found)) if len(found) == 1 else None

    def same(self, one: str, other: str) -> bool:
        """Whether two spellings are the same, or those of exactly one owner."""
        if plain_host(one) == plain_host(other):
            return True
        owner = self.of(one)
        return owner is not None and owner == self.of(other)

    def candidates(self, host: str) -> set[K]:
        """All owners of nodes that the host may be."""
        host = plain_host(host)
        return self._names.get(host) or self._short.get(host) or set()
