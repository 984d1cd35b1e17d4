"""Hashes of texts, many at once, where the texts lie in one piece."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

# Not in any value, for no XML can carry it.
SEPARATOR = "\0"
_WORD = 8


def fold_case(value: str) -> str:
    """Values are compared without case, as the product does."""
    return value.lower()


def join_values(values: Sequence[str]) -> str:
    return SEPARATOR.join(values) + SEPARATOR if values else ""


def ends_of(text: npt.NDArray[np.uint8]) -> Places:
    """Where the values in a text end; the next one begins behind that."""
    return np.flatnonzero(text == 0)


def starts_of(ends: Places) -> Places:
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    return starts


def hashes_of(values: Sequence[str]) -> Hashes:
    return hashes_in(join_values(values))


def hashes_in(text: str) -> Hashes:
    """Hash each value of a joined text, folded; empty and blank ones have the hash 0.

    Eight bytes at a time are mixed with a key of their place and summed up, so that
    only as much is done as the values are long. Stored snapshots hold such hashes:
    they must stay what they are.
    """
    encoded = fold_case(text).encode("utf-8", "replace")
    # Behind the last value there must be room to read one whole word.
    content = np.frombuffer(encoded + bytes(_WORD), np.uint8)
    ends = ends_of(content[:-_WORD])
    starts = starts_of(ends)
    words = np.ndarray((len(content) - _WORD + 1,), "<u8", content, strides=(1,))
    total = np.zeros(len(ends), np.uint64)
    rows = np.flatnonzero(ends > starts)
    at, left, place = starts[rows], (ends - starts)[rows], 0
    while len(rows):
        unused = (8 * (_WORD - np.minimum(left, _WORD))).astype(np.uint64)
        total[rows] += mix_words(((words[at] << unused) >> unused) ^ _key(place))
        longer = left > _WORD
        rows, at, left = rows[longer], at[longer] + _WORD, left[longer] - _WORD
        place += 1
    for row in np.flatnonzero((content[starts] <= 32) & (ends > starts)):
        if encoded[starts[row] : ends[row]].isspace():
            total[row] = 0
    return mix_words(total)


@lru_cache(maxsize=256)
def _key(place: int) -> np.uint64:
    key: np.uint64 = mix_words(np.array([place + 1], np.uint64))[0]
    return key


def mix_words(words: Hashes) -> Hashes:
    """Spread every bit over the whole word: the finaliser of splitmix64."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


# One value is sought in the snapshots of all clusters.
@lru_cache(maxsize=256)
def hash_of(value: str) -> np.uint64:
    found: np.uint64 = hashes_of([value.replace(SEPARATOR, "")])[0]
    return found


def positions_of(sought: Hashes, among: Hashes) -> Places:
    """Where each sought hash stands among those in order; -1 where it is not."""
    if not len(among):
        return np.full(len(sought), -1)
    found = np.searchsorted(among, sought)
    found[found == len(among)] = 0
    return np.where(among[found] == sought, found, -1)
