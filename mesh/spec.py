"""Clusters and peerings as a file that can be kept in version control.

Passwords are never in it, only where they are: an environment variable or a file.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from base.strict_yaml import read_yaml
from base.unreadable import Unreadable
from clusters.models import AddressScheme, Cluster
from clusters.validation import validate_host
from mesh.intent import Credentials
from peers.mask import validate_mask
from peers.models import Peer
from wire import Secret

CLUSTER_FIELDS = (
    "domain",
    "address_scheme",
    "description",
    "site",
    "axl_username",
    "provisioning",
)
CLUSTER_KEYS = {"name", "publisher", "axl_password", "intercluster", *CLUSTER_FIELDS}
PEERING_KEYS = {"between", "mesh", "protocol", "masks"}
# Clusters of one `mesh`, which make a peering of every two; and peerings of a file.
MOST_CLUSTERS, MOST_PEERINGS = 200, 20_000

# Reads a password: the place for a sentence, and what stands there.
PasswordReader = Callable[[str, Any], Secret | None]


@dataclass(frozen=True)
class ClusterSpec:
    """A cluster as the file has it; a field that is not in it stays as it is."""

    name: str
    fields: Mapping[str, str]
    publisher: Mapping[str, str]
    axl_password: Secret | None = field(default=None, repr=False)
    intercluster: Credentials | None = None


@dataclass(frozen=True)
class PeeringSpec:
    """Two clusters by name, the protocol of both entries, masks by home cluster."""

    pair: tuple[str, str]
    protocol: str
    masks: Mapping[str, str]


@dataclass(frozen=True)
class Document:
    """What a file asks for."""

    clusters: tuple[ClusterSpec, ...] = ()
    peerings: tuple[PeeringSpec, ...] = ()


def parse_spec(text: str) -> Document:
    """Read a file.

    Raises:
        base.unreadable.Unreadable: with the place.
    """
    return parse_document(read_yaml(text))


def parse_document(data: Any, password: PasswordReader | None = None) -> Document:
    """Read what a file holds, or a request that has the passwords in it.

    Args:
        password: reads a password; without it, from where the file says it is.

    Raises:
        base.unreadable.Unreadable: with the place.
    """
    read = password or password_of
    if not isinstance(data, dict):
        raise Unreadable("The file has clusters and peerings, each a list.", "keys")
    check_keys(data, {"clusters", "peerings"}, "The file")
    clusters = tuple(
        parse_cluster(place, entry, read)
        for place, entry in listed_entries(data, "clusters")
    )
    names = [cluster.name for cluster in clusters]
    if twice := {name for name in names if names.count(name) > 1}:
        raise Unreadable(f"The cluster {min(twice)} is there twice.", "twice")
    peerings: dict[frozenset[str], PeeringSpec] = {}
    for place, entry in listed_entries(data, "peerings"):
        for spec in parse_peerings(place, entry):
            # What names a pair is more exact than a whole mesh, and comes first.
            if frozenset(spec.pair) not in peerings or "between" in entry:
                peerings[frozenset(spec.pair)] = spec
        if len(peerings) > MOST_PEERINGS:
            raise Unreadable(
                f"The file has more than {MOST_PEERINGS} peerings.", "peerings"
            )
    return Document(clusters, tuple(peerings.values()))


def listed_entries(
    data: Mapping[str, Any], key: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    found = data.get(key) or []
    if not isinstance(found, list):
        raise Unreadable(f"{key} must be a list.", "not_a_list")
    for number, entry in enumerate(found, 1):
        place = f"{key}, entry {number}"
        if not isinstance(entry, dict):
            raise Unreadable(f"{place}: must be keys and values.", "not_a_mapping")
        yield place, entry


def check_keys(data: Mapping[str, Any], keys: set[str], place: str) -> None:
    if unknown := set(data) - keys:
        raise Unreadable(
            f"{place}: {min(unknown)} is not a key; they are: "
            f"{', '.join(sorted(keys))}.",
            "unknown_key",
        )


def parse_text(place: str, data: Mapping[str, Any], key: str, default: str = "") -> str:
    value = data.get(key, default)
    if not isinstance(value, str):
        raise Unreadable(f"{place}: {key} must be a text.", "not_a_text")
    return value


def parse_cluster(
    place: str, data: dict[str, Any], password: PasswordReader
) -> ClusterSpec:
    check_keys(data, CLUSTER_KEYS, place)
    name = parse_text(place, data, "name")
    if not name:
        raise Unreadable(f"{place}: name is missing.", "missing")
    place = f"cluster {name}"
    fields = {
        key: parse_text(place, data, key) for key in CLUSTER_FIELDS if key in data
    }
    if fields.get("provisioning", "guided") not in Cluster.Provisioning.values:
        raise Unreadable(f"{place}: provisioning is guided, direct or pages.", "choice")
    if fields.get("address_scheme", "") not in ("", *AddressScheme.values):
        schemes = " or ".join(AddressScheme.values)
        raise Unreadable(f"{place}: address_scheme is {schemes}.", "choice")
    return ClusterSpec(
        name,
        fields,
        parse_publisher(place, data.get("publisher") or {}),
        password(place, data.get("axl_password")),
        parse_intercluster(place, data.get("intercluster"), password),
    )


def parse_publisher(place: str, data: Any) -> dict[str, str]:
    if not isinstance(data, dict):
        raise Unreadable(
            f"{place}: publisher has name, address and fingerprint.", "not_a_mapping"
        )
    check_keys(data, {"name", "address", "fingerprint"}, f"{place}, publisher")
    found = {key: parse_text(place, data, key) for key in data}
    for key in ("name", "address"):
        if key in found:
            check_value(f"{place}, publisher {key}", validate_host, found[key])
    return found


def check_value(place: str, validate: Any, value: str) -> str:
    try:
        validate(value)
    except ValidationError as error:
        raise Unreadable(
            f"{place}: {' '.join(error.messages)}", error.code or "invalid"
        ) from None
    return value


def parse_intercluster(
    place: str, data: Any, reader: PasswordReader
) -> Credentials | None:
    """The application user of the cluster, with which its peers sign in."""
    if data is None:
        return None
    if not isinstance(data, dict) or set(data) != {"username", "password"}:
        raise Unreadable(f"{place}: intercluster has username and password.", "keys")
    password = reader(place, data["password"])
    username = parse_text(place, data, "username")
    if not password:
        raise Unreadable(
            f"{place}: the password of {username} is not to be found.", "no_password"
        )
    return Credentials(username, password)


def password_of(place: str, data: Any) -> Secret | None:
    """Read a password from where the file says it is; None if it is not there."""
    if data is None:
        return None
    if not isinstance(data, dict) or len(data) != 1 or set(data) - {"env", "file"}:
        raise Unreadable(
            f"{place}: a password is never in the file; say where it is, as in "
            "{env: VARIABLE} or {file: PATH}.",
            "password",
        )
    [(kind, where)] = data.items()
    if not isinstance(where, str):
        raise Unreadable(f"{place}: {kind} must be a text.", "not_a_text")
    if kind == "env":
        found = os.environ.get(where)
        return Secret(found) if found else None
    return Secret(password_in(place, where))


def password_in(place: str, file: str) -> str:
    """Read a password from a file; an empty one would delete what is stored."""
    try:
        found = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise Unreadable(f"{place}: {file}: {error.strerror}.", "file") from None
    except ValueError:
        raise Unreadable(f"{place}: {file!r} is not text in UTF-8.", "file") from None
    if not found:
        raise Unreadable(f"{place}: {file} is empty.", "file")
    return found


def given_password(place: str, data: Any) -> Secret | None:
    """Read a password that a request has in it; None keeps the one that is stored."""
    if data is None:
        return None
    if not isinstance(data, str) or not 0 < len(data) <= 128:
        raise Unreadable(
            f"{place}: a password is a text of 1 to 128 characters.", "not_a_password"
        )
    return Secret(data)


def parse_peerings(place: str, data: dict[str, Any]) -> list[PeeringSpec]:
    check_keys(data, PEERING_KEYS, place)
    if ("between" in data) == ("mesh" in data):
        raise Unreadable(
            f"{place}: needs between (two clusters) or mesh (several).", "keys"
        )
    names: Any = data.get("between", data.get("mesh"))
    texts = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not texts or len(set(names)) != len(names) or len(names) < 2:
        raise Unreadable(f"{place}: names at least two different clusters.", "clusters")
    if len(names) > MOST_CLUSTERS:
        raise Unreadable(
            f"{place}: mesh names at most {MOST_CLUSTERS} clusters.", "clusters"
        )
    if "between" in data and len(names) != 2:
        raise Unreadable(
            f"{place}: between names two clusters; use mesh for more.", "clusters"
        )
    protocol = parse_text(place, data, "protocol", Peer.Protocol.TCP.value)
    if protocol not in Peer.Protocol.values:
        raise Unreadable(f"{place}: protocol is TCP, UDP or TLS.", "choice")
    masks = data.get("masks") or {}
    if not isinstance(masks, dict) or set(masks) - set(names):
        raise Unreadable(
            f"{place}: masks are by the names of its clusters.", "clusters"
        )
    for name in masks:
        check_value(
            f"{place}, mask of {name}", validate_mask, parse_text(place, masks, name)
        )
    return [PeeringSpec(pair, protocol, masks) for pair in combinations(names, 2)]
