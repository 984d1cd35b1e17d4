"""Users in columns: arrays that are searched where they lie in a file.

A file is one line of JSON that names the arrays, then the arrays, each at a multiple
of eight bytes. Of every value by which users are sought the file holds a 64-bit hash,
in order, with the row it belongs to. The texts stand row by row in one heap.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from directory.addresses import valid_uri

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int16]

# Neither, where the release does not tell.
ENABLED, DISABLED, INVALID_URI = 1, 2, 4
_ENABLED_BY_FLAGS = {0: None, ENABLED: True, DISABLED: False}

KINDS = ("userid", "directory_uri", "mail_id", "number")
# Not in any value, for no XML can carry it.
_SEPARATOR = "\0"
_MOST_NODES = 32_000


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
class Index:
    """The hashes of one kind of value in order, and the row of each."""

    hashes: Hashes
    rows: Rows

    def at(self, wanted: np.uint64) -> list[int]:
        """The rows with this hash; other values can have it as well."""
        first = int(np.searchsorted(self.hashes, wanted, "left"))
        last = int(np.searchsorted(self.hashes, wanted, "right"))
        return [int(row) for row in self.rows[first:last]]

    def chosen(self, mask: Mask) -> "Index":
        """Keep the rows of which the mask, by row, is true."""
        kept = mask[self.rows]
        return Index(self.hashes[kept], self.rows[kept])


def folded(value: str) -> str:
    """Values are compared without case, as the product does."""
    return value.lower()


def hashes_of(values: Sequence[str]) -> Hashes:
    """Hash folded values, all at once; what is empty or blank has the hash 0.

    Eight bytes at a time are mixed with a key of their place and summed up, so that
    it does not matter how far the longest value pads the others.
    """
    # All in one text, for one call does more than many.
    together = folded(_SEPARATOR.join(values)).encode("utf-8", "replace")
    texts = together.split(_SEPARATOR.encode())
    encoded = np.array([b"" if t.isspace() else t for t in texts], np.bytes_)
    width = -(-encoded.dtype.itemsize // 8) or 1
    words = encoded.astype(f"S{8 * width}").view("<u8").reshape(len(values), width)
    total = np.zeros(len(values), np.uint64)
    for place in range(width):
        word = words[:, place]
        key = mix(np.array([place + 1], np.uint64))
        total += np.where(word == 0, np.uint64(0), mix(word ^ key))
    return mix(total)


def mix(words: Hashes) -> Hashes:
    """Spread every bit over the whole word: the finaliser of splitmix64."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


# One value is sought in the snapshots of all clusters.
@lru_cache(maxsize=256)
def hash_of(value: str) -> np.uint64:
    found: np.uint64 = hashes_of([value.replace(_SEPARATOR, "")])[0]
    return found


def positions(sought: Hashes, among: Hashes) -> npt.NDArray[np.int64]:
    """Where each sought hash stands among those in order; -1 where it is not."""
    if not len(among):
        return np.full(len(sought), -1)
    found = np.searchsorted(among, sought)
    found[found == len(among)] = 0
    return np.where(among[found] == sought, found, -1)


def flags_of(user: User) -> int:
    flags = 0 if user.enabled is None else ENABLED if user.enabled else DISABLED
    uri = user.directory_uri
    return flags if not uri or uri.isspace() or valid_uri(uri) else flags | INVALID_URI


class Builder:
    """Takes users, many at a time, and makes the columns of them."""

    def __init__(self) -> None:
        self._heap = bytearray()
        self._ends: list[npt.NDArray[np.uint64]] = []
        self._codes: dict[str, int] = {"": 0}
        self._node: list[npt.NDArray[np.uint16]] = []
        self._flags: list[npt.NDArray[np.uint8]] = []
        self._hashes: dict[str, list[Hashes]] = {kind: [] for kind in KINDS}
        self._users = 0

    def __len__(self) -> int:
        return self._users

    def add(self, users: Sequence[User]) -> None:
        """Add users; a thousand at once cost little more than ten."""
        if not users:
            return
        values = [(u.userid, u.directory_uri, u.mail_id, u.number) for u in users]
        texts = [_SEPARATOR.join(v).encode("utf-8", "replace") for v in values]
        lengths = np.fromiter(map(len, texts), np.uint64, len(texts))
        self._ends.append(np.cumsum(lengths, dtype=np.uint64) + len(self._heap))
        self._heap += b"".join(texts)
        self._node.append(np.array([self._code(u.node) for u in users], np.uint16))
        self._flags.append(np.array([flags_of(u) for u in users], np.uint8))
        for kind, column in zip(KINDS, zip(*values, strict=True), strict=True):
            self._hashes[kind].append(hashes_of(column))
        self._users += len(users)

    def _code(self, node: str) -> int:
        code = self._codes.setdefault(node, len(self._codes))
        if code >= _MOST_NODES:
            raise OverflowError("the users name more nodes than any cluster has")
        return code

    def counts(self) -> dict[str, int]:
        """How many users each node is the home of."""
        numbers = np.bincount(_joined(self._node, "<u2"), minlength=len(self._codes))
        return {name: int(n) for name, n in zip(self._codes, numbers, strict=True) if n}

    def finish(self) -> bytes:
        arrays: dict[str, npt.NDArray[Any]] = {
            "heap": np.frombuffer(self._heap, "<u1"),
            "ends": _joined(self._ends, "<u8"),
            "node": _joined(self._node, "<u2"),
            "flags": _joined(self._flags, "<u1"),
        }
        for kind in KINDS:
            hashes = _joined(self._hashes[kind], "<u8")
            order = np.argsort(hashes, kind="stable")
            # What is empty is sought by nobody, and equal to nothing.
            order = order[np.searchsorted(hashes, 0, "right", sorter=order) :]
            arrays[f"{kind} hashes"] = hashes[order]
            arrays[f"{kind} rows"] = order.astype("<u4")
        return pack(arrays, {"nodes": list(self._codes)})


def _joined(parts: Sequence[npt.NDArray[Any]], kind: str) -> npt.NDArray[Any]:
    return np.concatenate([np.empty(0, kind), *parts]).astype(kind, copy=False)


def pack(arrays: Mapping[str, npt.NDArray[Any]], more: Mapping[str, Any]) -> bytes:
    table: dict[str, tuple[str, int, int]] = {}
    place = 0
    for name, values in arrays.items():
        table[name] = (values.dtype.str, len(values), place)
        place += -(-values.nbytes // 8) * 8
    head = json.dumps({"arrays": table, **more}).encode()
    head += b" " * (-(len(head) + 1) % 8) + b"\n"
    body = bytearray(len(head) + place)
    body[: len(head)] = head
    for name, values in arrays.items():
        start = len(head) + table[name][2]
        body[start : start + values.nbytes] = values.tobytes()
    return bytes(body)


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
        self.index: Mapping[str, Index] = MappingProxyType(
            {
                kind: Index(
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
        texts = bytes(self._heap[start : int(ends[row])]).decode().split(_SEPARATOR)
        enabled = _ENABLED_BY_FLAGS[int(self.flags[row]) & (ENABLED | DISABLED)]
        userid, directory_uri, mail_id, number = texts
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
        wanted = folded(value)
        return [(row, u) for row, u in found if folded(u.value(kind)) == wanted]


def _end_of_line(view: memoryview) -> int:
    for start in range(0, len(view), 4096):
        place = bytes(view[start : start + 4096]).find(b"\n")
        if place >= 0:
            return start + place + 1
    raise ValueError("the columns have no head")


if sys.byteorder != "little":  # pragma: no cover
    raise ImportError("snapshots are little-endian, and are read where they lie")
