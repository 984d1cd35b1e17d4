"""Putting users into columns, block by block, as a cluster tells them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from base.fields import StorableEncoder
from directory.addresses import doubtful_uris, valid_uri
from directory.columns import DISABLED, ENABLED, INVALID_URI, KINDS, User
from directory.hashing import Hashes, ends_of, hashes_in, join_values

_MOST_NODES = 32_000
_FLAGS = {None: 0, True: ENABLED, False: DISABLED}
_ALIGNED = 8

Piece = bytes | memoryview


class NodeCodes(dict[str, int]):
    """Small numbers for the names of nodes, in the order in which they come."""

    def __missing__(self, name: str) -> int:
        if len(self) >= _MOST_NODES:
            raise OverflowError("the users name more nodes than any cluster has")
        return self.setdefault(name, len(self))


class Builder:
    """Takes users, many at a time, and makes the columns of them."""

    def __init__(self) -> None:
        self._heap = bytearray()
        self._ends: list[npt.NDArray[np.uint64]] = []
        self._codes = NodeCodes({"": 0})
        self._node: list[npt.NDArray[np.uint16]] = []
        self._flags: list[npt.NDArray[np.uint8]] = []
        self._hashes: list[npt.NDArray[np.uint64]] = []
        self._users = 0

    def __len__(self) -> int:
        return self._users

    def add(self, users: Sequence[User]) -> None:
        """Add users; a thousand at once cost little more than ten."""
        if users:
            *values, nodes, enabled = zip(*users, strict=True)
            self.add_columns(values, nodes, enabled)

    def add_columns(
        self,
        values: Sequence[Sequence[str]],
        nodes: Sequence[str],
        enabled: Iterable[bool | None],
    ) -> None:
        """Add as many users as there are nodes: a column of values of each kind."""
        count = len(nodes)
        text = join_values(list(chain.from_iterable(zip(*values, strict=True))))
        encoded = text.encode("utf-8", "replace")
        content = np.frombuffer(encoded, np.uint8)
        ends = ends_of(content)
        last = ends[len(KINDS) - 1 :: len(KINDS)] + 1
        self._ends.append(last.astype(np.uint64) + np.uint64(len(self._heap)))
        self._heap += encoded
        codes = map(self._codes.__getitem__, nodes)
        self._node.append(np.fromiter(codes, np.uint16, count))
        flags = np.fromiter(map(_FLAGS.__getitem__, enabled), np.uint8, count)
        uris = values[KINDS.index("directory_uri")]
        starts, ends = ends[0 :: len(KINDS)] + 1, ends[1 :: len(KINDS)]
        for row in doubtful_uris(uris, content, starts, ends):
            if not valid_uri(uris[row]) and not uris[row].isspace():
                flags[row] |= INVALID_URI
        self._flags.append(flags)
        self._hashes.append(hashes_in(text).reshape(count, len(KINDS)))
        self._users += count

    def counts(self) -> dict[str, int]:
        """How many users each node is the home of."""
        numbers = np.bincount(
            _joined_array(self._node, "<u2"), minlength=len(self._codes)
        )
        return {name: int(n) for name, n in zip(self._codes, numbers, strict=True) if n}

    def finish(self) -> list[Piece]:
        """The columns, in the pieces that make up their file one after the other."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "heap": np.frombuffer(self._heap, "<u1"),
            "ends": _joined_array(self._ends, "<u8"),
            "node": _joined_array(self._node, "<u2"),
            "flags": _joined_array(self._flags, "<u1"),
        }
        for number, kind in enumerate(KINDS):
            hashes = _joined_array([block[:, number] for block in self._hashes], "<u8")
            rows = in_order(hashes)
            arrays[f"{kind} hashes"] = hashes[rows]
            arrays[f"{kind} rows"] = rows.astype("<u4")
        return list(pack_columns(arrays, {"nodes": list(self._codes)}))


def in_order(hashes: Hashes) -> npt.NDArray[np.intp]:
    """The rows in the order of their hashes, but those that are empty.

    What is empty is sought by nobody, and equal to nothing.
    """
    order = np.argsort(hashes, kind="stable")
    return order[np.searchsorted(hashes, 0, "right", sorter=order) :]


def _joined_array(parts: Sequence[npt.NDArray[Any]], kind: str) -> npt.NDArray[Any]:
    return np.concatenate([np.empty(0, kind), *parts]).astype(kind, copy=False)


def pack_columns(
    arrays: Mapping[str, npt.NDArray[Any]], more: Mapping[str, Any]
) -> Iterator[Piece]:
    table: dict[str, tuple[str, int, int]] = {}
    place = 0
    for name, values in arrays.items():
        table[name] = (values.dtype.str, len(values), place)
        place += -(-values.nbytes // _ALIGNED) * _ALIGNED
    head = StorableEncoder().encode({"arrays": table, **more}).encode()
    yield head + b" " * (-(len(head) + 1) % _ALIGNED) + b"\n"
    for values in arrays.values():
        if values.nbytes:
            yield memoryview(values.view(np.uint8))  # type: ignore[arg-type]
        if short := -values.nbytes % _ALIGNED:
            yield bytes(short)
