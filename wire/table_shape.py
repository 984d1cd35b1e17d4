"""What a table and its columns could hold, by their names alone.

The words are data: `platforms/recognition.toml` or its correction.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from wire.platforms import recognition_words

NEEDED = ("address", "username", "password", "protocol")


@dataclass(frozen=True)
class Shape:
    """A table by its columns: which of them could hold what."""

    table: str
    roles: Mapping[str, tuple[str, ...]]
    # Whether rows of other tables belong to its own.
    keys: bool = False

    @classmethod
    def of(cls, table: str, columns: Iterable[str]) -> "Shape":
        roles: dict[str, tuple[str, ...]] = {}
        names = sorted(columns)
        for column in names:
            if role := role_of(column):
                roles[role] = (*roles.get(role, ()), column)
        return cls(table, roles, any(name.startswith("fk") for name in names))

    @property
    def missing(self) -> frozenset[str]:
        return frozenset(NEEDED) - set(self.roles)

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def partial(self) -> bool:
        """Whether it has an address and some of the rest."""
        return "address" in self.roles and 0 < len(self.missing) < len(NEEDED) - 1

    def columns(self, **chosen: str) -> dict[str, str]:
        """Give one column a field: the chosen, else the one with the shortest name."""
        return {
            role: chosen.get(role) or min(columns, key=lambda name: (len(name), name))
            for role, columns in self.roles.items()
        }


@cache
def _words() -> tuple[tuple[str, re.Pattern[str]], ...]:
    columns = recognition_words()["columns"]
    return tuple((role, re.compile(words)) for role, words in columns.items())


def role_of(column: str) -> str | None:
    """Say what a column could hold, by its name alone."""
    if column.startswith(("fk", "pk")):
        return None
    return next((role for role, words in _words() if words.search(column)), None)


def is_named(table: str, kind: str) -> bool:
    """Tell from its name that a table is a likely one, or may be one of the copies."""
    return bool(re.search(recognition_words()["tables"][kind], table))
