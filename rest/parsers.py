"""A JSON parser that refuses what two parties could read differently."""

import codecs
import json
import math
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MAX_DEPTH = 32
FORBIDDEN = {chr(code) for code in (0, *range(0xD800, 0xE000))}


class StrictJSONParser(JSONParser):
    """Refuses what is no object, duplicate keys, deep nesting, NUL, lone surrogates,
    NaN and infinity."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            text = codecs.decode(stream.read(), "utf-8")
            check_depth(text)
            data = json.loads(
                text,
                object_pairs_hook=unique_keys,
                parse_constant=refuse_constant,
                parse_float=finite_number,
            )
        except UnicodeDecodeError as error:
            raise ParseError("The body is not UTF-8.") from error
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not strict JSON: {error}") from error
        refuse_characters(data)
        if not isinstance(data, dict):
            raise ParseError("The body must be a JSON object.")
        return data


def check_depth(text: str) -> None:
    """Refuse nesting before the parser recurses into it."""
    depth, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH}")
        elif character in "]}":
            depth -= 1


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return names


def finite_number(text: str) -> float:
    """Refuse a number that is too large for a float: it would become infinity."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large")
    return number


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def refuse_characters(data: Any) -> None:
    if isinstance(data, str):
        if not FORBIDDEN.isdisjoint(data):
            raise ParseError("NUL and lone surrogates are not allowed in text.")
    elif isinstance(data, dict):
        for name, value in data.items():
            refuse_characters(name)
            refuse_characters(value)
    elif isinstance(data, list):
        for value in data:
            refuse_characters(value)
