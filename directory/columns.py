"""Users in columns: arrays that are searched where they lie in a file.

A file is one line of JSON that names the arrays, then the arrays, each at a multiple
of eight bytes. Of every value by which users are sought the file holds a 64-bit hash,
in order, with the row it belongs to. The texts stand row by row in one heap.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from directory.hashing import SEPARATOR, Hashes, fold_case, hash_of

Rows = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int16]

# Neither, where the release does not tell.
ENABLED, DISABLED, INVALID_URI = 1, 2, 4
_ENABLED_BY_FLAGS = {0: None, ENABLED: True, DISABLED: False}

KINDS = ("userid", "directory_uri", "mail_id", "number")


class User(NamedTuple):
    """One user as a cluster has it; first the values by which users are sought."""

    userid: str
    directory_uri: str
    mail_id: str
    number: str
    node: str
    enabled: bool | None = None

    def value(self, kind: str) -> str:
        text: str = getattr(self, kind)
        return text


@dataclass(frozen=True)
class HashIndex:
    """The hashes of one kind of value in order, and the row of each."""

    hashes: Hashes
    rows: Rows

    def at(self, value_hash: np.uint64) -> list[int]:
        """The rows with this hash; other values can have it as well."""
        first = int(np.searchsorted(self.hashes, value_hash, "left"))
        last = int(np.searchsorted(self.hashes, value_hash, "right"))
        return [int(row) for row in self.rows[first:last]]

    def chosen(self, mask: Mask) -> "HashIndex":
        """Keep the rows of which the mask, by row, is true."""
        chosen_rows = mask[self.rows]
        return HashIndex(self.hashes[chosen_rows], self.rows[chosen_rows])


class Columns:
    """The users of one snapshot, read from the bytes of its file."""

    def __init__(self, content: Any) -> None:
        view = memoryview(content)
        end = _end_of_line(view)
        head = json.loads(bytes(view[:end]))
        self._arrays: dict[str, npt.NDArray[Any]] = {
            name: np.frombuffer(view, kind, count, end + place)
            for name, (kind, count, place) in head["arrays"].items()
        }
        self.nodes: Sequence[str] = tuple(head["nodes"])
        self.node: npt.NDArray[np.uint16] = self._arrays["node"]
        self.flags: npt.NDArray[np.uint8] = self._arrays["flags"]
        self.index: Mapping[str, HashIndex] = MappingProxyType(
            {
                kind: HashIndex(
                    self._arrays[f"{kind} hashes"], self._arrays[f"{kind} rows"]
                )
                for kind in KINDS
            }
        )

    def __len__(self) -> int:
        return len(self.node)

    @cached_property
    def _heap(self) -> memoryview:
        return memoryview(self._arrays["heap"])  # type: ignore[arg-type]

    def user(self, row: int) -> User:
        ends = self._arrays["ends"]
        start = int(ends[row - 1]) if row else 0
        texts = bytes(self._heap[start : int(ends[row])]).decode().split(SEPARATOR)
        enabled = _ENABLED_BY_FLAGS[int(self.flags[row]) & (ENABLED | DISABLED)]
        # Older snapshots have no separator behind the last one.
        userid, directory_uri, mail_id, number = texts[: len(KINDS)]
        node = self.nodes[self.node[row]]
        return User(userid, directory_uri, mail_id, number, node, enabled)

    def flagged(self, flag: int) -> Mask:
        flagged: Mask = (self.flags & flag) != 0
        return flagged

    def users(self, rows: npt.NDArray[Any]) -> Iterator[User]:
        return (self.user(int(row)) for row in rows)

    def find(self, kind: str, value: str) -> list[tuple[int, User]]:
        """The users who have this value, whatever its case, by row."""
        found = [(r, self.user(r)) for r in self.index[kind].at(hash_of(value))]
        folded = fold_case(value)
        return [(row, u) for row, u in found if fold_case(u.value(kind)) == folded]


def _end_of_line(view: memoryview) -> int:
    for start in range(0, len(view), 4096):
        place = bytes(view[start : start + 4096]).find(b"\n")
        if place >= 0:
            return start + place + 1
    raise ValueError("the columns have no head")


if sys.byteorder != "little":  # pragma: no cover
    raise ImportError("snapshots are little-endian, and are read where they lie")
