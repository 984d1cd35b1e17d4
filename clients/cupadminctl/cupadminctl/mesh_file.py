"""Mesh files: read with the passwords they refer to, written without any."""

import os
import sys
from pathlib import Path
from typing import Any

import yaml

from cupadminctl.exits import Failed
from cupadminctl.files import read_text

PLACES = ({"env"}, {"file"})


class TextLoader(yaml.BaseLoader):
    """Every value is a text; anchors, tags and repeated keys are refused."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            line = event.start_mark.line + 1
            raise ValueError(f"line {line}: anchors and aliases are refused.")
        if getattr(event, "tag", None):
            raise ValueError(f"line {event.start_mark.line + 1}: tags are refused.")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key.value, str)]
        if repeated := {key for key in keys if keys.count(key) > 1}:
            line = node.start_mark.line + 1
            raise ValueError(f"line {line}: {min(repeated)} is there twice.")
        return super().construct_mapping(node, deep=True)


def read_mesh_file(file: Path) -> dict[str, Any]:
    """Read a file, with the passwords from where it says they are.

    Raises:
        Failed: it cannot be read.
    """
    text = read_text(file)
    try:
        document = yaml.load(text, TextLoader)  # noqa: S506
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise Failed(f"{file}: {error}") from None
    if not isinstance(document, dict):
        raise Failed(f"{file}: has clusters and peerings, each a list.")
    clusters = document.get("clusters") or []
    for cluster in clusters if isinstance(clusters, list) else []:
        if isinstance(cluster, dict):
            fill_passwords(cluster)
    return document


def fill_passwords(cluster: dict[str, Any]) -> None:
    """Replace where the passwords of a cluster are by what is there."""
    place = f"cluster {cluster.get('name')}"
    if "axl_password" in cluster:
        found = read_password(place, cluster.pop("axl_password"))
        if found:  # otherwise the console keeps the password that it has
            cluster["axl_password"] = found
    user = cluster.get("intercluster")
    if isinstance(user, dict) and "password" in user:
        user["password"] = read_password(place, user["password"])
        if not user["password"]:
            raise Failed(f"{place}: the password of its user was not found.")


def read_password(place: str, where: Any) -> str:
    """Read a password: {env: VARIABLE} or {file: PATH}; empty for an unset variable."""
    if not isinstance(where, dict) or set(where) not in PLACES:
        raise Failed(
            f"{place}: a password is never in the file; say where it is, as in "
            "{env: VARIABLE} or {file: PATH}."
        )
    if "env" in where:
        return os.environ.get(str(where["env"]), "")
    file = Path(str(where["file"]))
    found = read_text(file).rstrip("\r\n")
    if not found:
        raise Failed(f"{place}: {file} is empty.")
    return found


def write_mesh_file(file: Path, document: dict[str, Any]) -> None:
    """Write what the console answered, as `manage.py mesh export` does."""
    one_sided = document.pop("one_sided")
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=88)
    for home, remote in one_sided:
        text += f"# one-sided, so not listed: {home} to {remote}\n"
    if str(file) == "-":
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}.") from None
