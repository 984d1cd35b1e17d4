"""Clusters and peerings as a file that can be kept in version control.

Passwords are never in it, only where they are: an environment variable or a file.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from mesh.wanted import Credentials
from peers.mask import validate_mask
from peers.models import Cluster, Peer
from peers.validation import validate_host
from rest.documents import read_yaml
from wire import Secret

CLUSTER_FIELDS = ("domain", "description", "site", "axl_username", "provisioning")
CLUSTER_KEYS = {"name", "publisher", "axl_password", "intercluster", *CLUSTER_FIELDS}
PEERING_KEYS = {"between", "mesh", "protocol", "masks"}


@dataclass(frozen=True)
class ClusterWish:
    """A cluster as the file has it; a field that is not in it stays as it is."""

    name: str
    fields: Mapping[str, str]
    publisher: Mapping[str, str]
    axl_password: Secret | None = field(default=None, repr=False)
    intercluster: Credentials | None = None


@dataclass(frozen=True)
class PeeringWish:
    """Two clusters by name, the protocol of both sides, masks by home cluster."""

    pair: tuple[str, str]
    protocol: str
    masks: Mapping[str, str]


@dataclass(frozen=True)
class Document:
    """What a file asks for."""

    clusters: tuple[ClusterWish, ...] = ()
    peerings: tuple[PeeringWish, ...] = ()


def parse(text: str) -> Document:
    """Read a file.

    Raises:
        ValueError: with the place and a sentence for a person.
    """
    data = read_yaml(text)
    if not isinstance(data, dict):
        raise ValueError("The file has clusters and peerings, each a list.")
    known(data, {"clusters", "peerings"}, "The file")
    clusters = tuple(
        cluster_of(place, entry) for place, entry in entries(data, "clusters")
    )
    names = [cluster.name for cluster in clusters]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"The cluster {min(twice)} is there twice.")
    peerings: dict[frozenset[str], PeeringWish] = {}
    for place, entry in entries(data, "peerings"):
        for wish in peerings_of(place, entry):
            # What names a pair is more exact than a whole mesh, and comes first.
            if frozenset(wish.pair) not in peerings or "between" in entry:
                peerings[frozenset(wish.pair)] = wish
    return Document(clusters, tuple(peerings.values()))


def entries(data: Mapping[str, Any], key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    found = data.get(key) or []
    if not isinstance(found, list):
        raise ValueError(f"{key} must be a list.")
    for number, entry in enumerate(found, 1):
        place = f"{key}, entry {number}"
        if not isinstance(entry, dict):
            raise ValueError(f"{place}: must be keys and values.")
        yield place, entry


def known(data: Mapping[str, Any], keys: set[str], place: str) -> None:
    if unknown := set(data) - keys:
        raise ValueError(
            f"{place}: {min(unknown)} is not a key; they are: "
            f"{', '.join(sorted(keys))}."
        )


def text_of(place: str, data: Mapping[str, Any], key: str, default: str = "") -> str:
    value = data.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f"{place}: {key} must be a text.")
    return value


def cluster_of(place: str, data: dict[str, Any]) -> ClusterWish:
    known(data, CLUSTER_KEYS, place)
    name = text_of(place, data, "name")
    if not name:
        raise ValueError(f"{place}: name is missing.")
    place = f"cluster {name}"
    fields = {key: text_of(place, data, key) for key in CLUSTER_FIELDS if key in data}
    if fields.get("provisioning", "guided") not in Cluster.Provisioning.values:
        raise ValueError(f"{place}: provisioning is guided or direct.")
    return ClusterWish(
        name,
        fields,
        publisher_of(place, data.get("publisher") or {}),
        password_of(place, data.get("axl_password")),
        intercluster_of(place, data.get("intercluster")),
    )


def publisher_of(place: str, data: Any) -> dict[str, str]:
    if not isinstance(data, dict):
        raise ValueError(f"{place}: publisher has name, address and fingerprint.")
    known(data, {"name", "address", "fingerprint"}, f"{place}, publisher")
    found = {key: text_of(place, data, key) for key in data}
    for key in ("name", "address"):
        if key in found:
            checked(f"{place}, publisher {key}", validate_host, found[key])
    return found


def checked(place: str, validate: Any, value: str) -> str:
    try:
        validate(value)
    except ValidationError as error:
        raise ValueError(f"{place}: {' '.join(error.messages)}") from None
    return value


def intercluster_of(place: str, data: Any) -> Credentials | None:
    """The application user of the cluster, with which its peers sign in."""
    if data is None:
        return None
    if not isinstance(data, dict) or set(data) != {"username", "password"}:
        raise ValueError(f"{place}: intercluster has username and password.")
    password = password_of(place, data["password"])
    username = text_of(place, data, "username")
    if not password:
        raise ValueError(f"{place}: the password of {username} is not to be found.")
    return Credentials(username, password)


def password_of(place: str, data: Any) -> Secret | None:
    """Read a password from where the file says it is; None if it is not there."""
    if data is None:
        return None
    if not isinstance(data, dict) or len(data) != 1 or set(data) - {"env", "file"}:
        raise ValueError(
            f"{place}: a password is never in the file; say where it is, as in "
            "{env: VARIABLE} or {file: PATH}."
        )
    [(kind, where)] = data.items()
    if not isinstance(where, str):
        raise ValueError(f"{place}: {kind} must be a text.")
    if kind == "env":
        found = os.environ.get(where)
        return Secret(found) if found else None
    try:
        return Secret(Path(where).read_text().rstrip("\r\n"))
    except OSError as error:
        raise ValueError(f"{place}: {where}: {error.strerror}.") from None


def peerings_of(place: str, data: dict[str, Any]) -> list[PeeringWish]:
    known(data, PEERING_KEYS, place)
    if ("between" in data) == ("mesh" in data):
        raise ValueError(f"{place}: needs between (two clusters) or mesh (several).")
    names: Any = data.get("between", data.get("mesh"))
    texts = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not texts or len(set(names)) != len(names) or len(names) < 2:
        raise ValueError(f"{place}: names at least two different clusters.")
    if "between" in data and len(names) != 2:
        raise ValueError(f"{place}: between names two clusters; use mesh for more.")
    protocol = text_of(place, data, "protocol", Peer.Protocol.TCP.value)
    if protocol not in Peer.Protocol.values:
        raise ValueError(f"{place}: protocol is TCP, UDP or TLS.")
    masks = data.get("masks") or {}
    if not isinstance(masks, dict) or set(masks) - set(names):
        raise ValueError(f"{place}: masks are by the names of its clusters.")
    for name in masks:
        checked(f"{place}, mask of {name}", validate_mask, text_of(place, masks, name))
    return [PeeringWish(pair, protocol, masks) for pair in combinations(names, 2)]
