"""The words of the pages, compared without case and punctuation."""

import re
import unicodedata
from functools import cache

from pages import corrections

_SKIPPED = re.compile(r"[\s\-‐-―−*:_/?\u00a0\u200b▲▼△▽↑↓⇅⇑⇓]+")


def plain(text: str) -> str:
    """Make spellings of one word equal: Inter-Clustering and interclustering."""
    return _SKIPPED.sub("", unicodedata.normalize("NFKC", text).casefold())


@cache
def words(group: str, name: str) -> tuple[str, ...]:
    """Give the spellings of a word, the preferred first, as `plain` makes them."""
    return tuple(plain(text) for text in corrections.page_words()[group][name])


@cache
def spelling(group: str, name: str) -> str:
    """Give the word as a person reads it."""
    return corrections.page_words()[group][name][0]


@cache
def languages() -> dict[str, frozenset[str]]:
    """Give the words by which a language is recognised."""
    known = corrections.page_words()["languages"]
    return {name: frozenset(map(plain, texts)) for name, texts in known.items()}


def names(group: str) -> tuple[str, ...]:
    return tuple(corrections.page_words()[group])


def contains_message(text: str, message: str) -> bool:
    """Whether a text contains one of a message's known parts."""
    folded = " ".join(text.lower().split())
    return any(part in folded for part in corrections.page_words()["messages"][message])
