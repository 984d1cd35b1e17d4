"""Words of the pages that an administrator adds or takes out, as data.

A file of the layout of `wire/platforms/pages.toml`: its spellings come before the
built-in ones, and those under `without` are left out.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wire import platforms

Words = Mapping[str, Mapping[str, list[str]]]
WITHOUT = "without"
MOST_BYTES = 100_000
# Looked for within a text, where a short word would be found in any.
_WITHIN = {"messages": 5, "outcomes": 2}

_corrected: Words | None = None


def page_words() -> Words:
    """Give all words, corrected where `take_corrections` has read corrections."""
    return platforms.page_words() if _corrected is None else _corrected


def take_corrections(path: Path) -> None:
    """Correct the words by a file, where there is one; call it before their first use.

    Raises:
        ValueError: what is wrong with the file; the built-in words stay.
    """
    global _corrected
    _corrected = None
    _corrected = read_corrections(path)


def read_corrections(path: Path) -> Words | None:
    """Give all words as a file corrects them; None without a file.

    Raises:
        ValueError: what is wrong with it, in a sentence.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ValueError(f"{path} is larger than {MOST_BYTES:,} bytes.")
        data = tomllib.loads(text.decode())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}.") from None
    try:
        return _merged_words(data)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _merged_words(data: Mapping[str, Any]) -> Words:
    less = data.get(WITHOUT, {})
    more = {name: value for name, value in data.items() if name != WITHOUT}
    _check_table(more, "")
    _check_table(less, f"{WITHOUT}.")
    known = platforms.page_words()
    return MappingProxyType(
        {group: _merged_group(group, more, less) for group in known}
    )


def _merged_group(
    group: str, more: Mapping[str, Any], less: Mapping[str, Any]
) -> dict[str, list[str]]:
    found = {}
    for name, built_in in platforms.page_words()[group].items():
        gone = {text.casefold() for text in less.get(group, {}).get(name, [])}
        added = more.get(group, {}).get(name, [])
        if group == "messages":
            added = [" ".join(text.lower().split()) for text in added]
        kept = [text for text in (*added, *built_in) if text.casefold() not in gone]
        if not kept:
            raise ValueError(f"{group}.{name} has no spelling left.")
        found[name] = list(dict.fromkeys(kept))
    return found


def _check_table(data: Any, prefix: str) -> None:
    known = platforms.page_words()
    for group, names in _table(data, "corrections").items():
        if group not in known:
            raise ValueError(f"{prefix}{group} is unknown; known: {', '.join(known)}.")
        for name, texts in _table(names, f"{prefix}{group}").items():
            where = f"{prefix}{group}.{name}"
            if name not in known[group]:
                named = ", ".join(known[group])
                raise ValueError(f"{where} is unknown; known: {named}.")
            _check_texts(where, texts, _WITHIN.get(group, 1))


def _table(data: Any, name: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f"{name} is not a table.")
    return data


def _check_texts(where: str, texts: Any, least: int) -> None:
    if not isinstance(texts, list) or not all(isinstance(x, str) for x in texts):
        raise ValueError(f"{where} is not a list of texts.")
    for text in texts:
        letters = sum(not one.isspace() and one not in "-*:_/?" for one in text)
        if letters < least:
            raise ValueError(f"{where}: {text!r} is too short to recognise anything.")
