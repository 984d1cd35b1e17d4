"""Facts as JSON and back: one worker collects them, another one judges them.

Not pickle: what clusters answer is hostile, and so may be what lies in a database.
"""

import json
import types
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from diagnostics.facts import ClusterFacts, Facts, PeerFacts

TIME = "$time"


def pack_facts(facts: Facts) -> bytes:
    """Pack what was asked: clusters, peers, and the DNS servers that kept silent."""
    body = {
        "at": facts.at,
        "clusters": facts.clusters,
        "peers": facts.peers,
        "silent_servers": facts.silent_servers,
    }
    return zlib.compress(json.dumps(plain_of(body)).encode())


def unpack_facts(body: bytes) -> Facts:
    """Read what `pack_facts` wrote."""
    read = json.loads(zlib.decompress(body))
    return Facts(
        at=typed(datetime, read["at"]),
        clusters=typed(Mapping[str, ClusterFacts], read["clusters"]),
        peers=typed(Mapping[str, PeerFacts], read["peers"]),
        silent_servers=typed(tuple[str, ...], read["silent_servers"]),
    )


def plain_of(value: Any) -> Any:
    """Give a value in what JSON knows; of a dataclass the fields that say something."""
    if isinstance(value, datetime):
        return {TIME: value.isoformat()}
    if is_dataclass(value):
        return {
            field.name: plain_of(getattr(value, field.name))
            for field in fields(value)
            if getattr(value, field.name) != field.default or field.name == "at"
        }
    if isinstance(value, Mapping):
        return {key: plain_of(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain_of(one) for one in value]
    return value


def typed(hint: Any, value: Any, inner: Any = Any) -> Any:
    """Give a value read from JSON the type of its field.

    Args:
        inner: what the type variable of a generic dataclass stands for.
    """
    if isinstance(hint, TypeVar):
        hint = inner
    if value is None:
        return None
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        chosen = next(one for one in arguments if one is not type(None))
        return typed(chosen, value, inner)
    if hint is datetime:
        return datetime.fromisoformat(value[TIME])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if origin is tuple:
        return tuple(typed(arguments[0], one, inner) for one in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: typed(arguments[1], one, inner) for key, one in value.items()}
    if is_dataclass(origin or hint):
        return built(origin or hint, value, arguments[0] if arguments else Any)
    return value


def built(cls: Any, value: Mapping[str, Any], inner: Any) -> Any:
    hints = hints_of(cls)
    return cls(**{name: typed(hints[name], one, inner) for name, one in value.items()})


@cache
def hints_of(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)
