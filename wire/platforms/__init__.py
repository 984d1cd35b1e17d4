"""What differs between the product's generations, as data.

One TOML file per generation over a common one. A correction is made there.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

# Enough for the nodes and peers of a mesh of a hundred clusters.
MOST_ROWS = 10_000
GENERATIONS = ("cup7", "cup8", "imp")


@dataclass(frozen=True)
class SqlTemplate:
    text: str
    order_by: str = ""
    large: bool = False
    most: int = MOST_ROWS


@dataclass(frozen=True)
class Profile:
    """A generation of the product.

    Args:
        sync_agent: the service name of the Intercluster Sync Agent.
        labels: what the product's own pages call a thing.
        services: service names by the console's key (axl, xcp_router, ...).
        axl_versions: the versions to offer, the best first.
        peer_table: the mapping as `PeerTable.from_dict` takes it.
        peer_may_be_ip: an IP address is right also for a node that has a name.
        restart_rules: what to restart after a change of peers, in words.
        pages: paths of the product's own pages on a node.
        sql: the templates of `wire.sql.query`.
        unverified: keys whose values no public source confirms.
    """

    generation: str
    product: str
    administration: str
    serviceability: str
    sync_agent: str
    labels: Mapping[str, str]
    services: Mapping[str, str]
    network_services: tuple[str, ...]
    axl_versions: tuple[str, ...]
    control_centers: tuple[str, ...]
    peer_table: Mapping[str, Any]
    peering_transport: str
    has_mask: bool
    has_xmpp: bool
    peer_is_ip_only: bool
    peer_may_be_ip: bool
    intercluster_role: str
    max_clusters: int | None
    restart_rules: Mapping[str, str]
    pages: Mapping[str, str]
    telephone_column: str
    sql: Mapping[str, SqlTemplate]
    unverified: tuple[str, ...]


@cache
def profile_of(generation: str) -> Profile:
    """Give the profile of "cup7", "cup8" or "imp"; KeyError for another."""
    if generation not in GENERATIONS:
        raise KeyError(generation)
    data = _load("common") | _load(generation)
    shared = _load("common")
    for table in ("sql", "labels", "services", "restart_rules", "pages"):
        data[table] = MappingProxyType({**shared[table], **data.get(table, {})})
    data["sql"] = _templates(data["sql"])
    data["peer_table"] = MappingProxyType(data["peer_table"])
    for name in ("network_services", "axl_versions", "control_centers", "unverified"):
        data[name] = tuple(data[name])
    data["max_clusters"] = data.get("max_clusters")
    return Profile(generation=generation, **data)


@cache
def common_sql() -> Mapping[str, SqlTemplate]:
    return _templates(_load("common")["sql"])


def _templates(data: Mapping[str, Any]) -> Mapping[str, SqlTemplate]:
    return MappingProxyType({name: SqlTemplate(**row) for name, row in data.items()})


@cache
def recognition_words() -> Mapping[str, Mapping[str, str]]:
    """Give the expressions by which tables and columns of peers are recognised."""
    return MappingProxyType(_load("recognition"))


@cache
def page_words() -> Mapping[str, Mapping[str, list[str]]]:
    """Give the words by which the product's own pages are recognised."""
    return MappingProxyType(_load("pages"))


@cache
def _text(name: str) -> str:
    return files("wire.platforms").joinpath(f"{name}.toml").read_text()


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads(_text(name))


@lru_cache(maxsize=4096)
def service_key(name: str) -> str:
    """Give what all releases call a service: some have `UP` in it, some have not.

    Which of them have it is published for few services.
    """
    words = name.casefold().split()
    if words[:2] == ["cisco", "up"]:
        del words[1]
    return " ".join(words)


def service_spellings(name: str) -> list[str]:
    """Give the names that releases have for a service."""
    plain = re.sub(r"^Cisco UP ", "Cisco ", name)
    return [plain, re.sub("^Cisco ", "Cisco UP ", plain)]


def release_of(version: str) -> tuple[int, int]:
    """Read "12.5" out of "12.5.1.12900(115)" or "8.6(4)"; ValueError if it is none."""
    match = re.match(r"\s*(\d{1,2})(?:\.(\d{1,2}))?", version)
    if not match:
        raise ValueError(f"{version!r} is not a version")
    return int(match[1]), int(match[2] or 0)


def generation_of(version: str) -> str:
    """Give the generation of a version; ValueError if it is none."""
    major, _ = release_of(version)
    if major < 8:
        return "cup7"
    return "cup8" if major == 8 else "imp"


class Peering(StrEnum):
    """What is published about two releases as peers."""

    SUPPORTED = "yes"
    # For as long as a staged upgrade of the mesh takes.
    UPGRADE = "upgrade"
    UNSUPPORTED = "no"
    UNKNOWN = "unknown"


def peering_of(one: str, other: str) -> Peering:
    """Say whether clusters of two versions may peer; ValueError if one is none."""
    first, second = release_of(one), release_of(other)
    if first == second:
        return Peering.SUPPORTED
    for rule in _load("peering")["rule"]:
        named = [_names(rule, release) for release in (first, second)]
        if all(named) or (rule.get("others") and any(named)):
            return Peering(rule["supported"])
    return Peering.UNKNOWN


def _names(rule: Mapping[str, Any], release: tuple[int, int]) -> bool:
    return f"{release[0]}.{release[1]}" in rule["releases"]
