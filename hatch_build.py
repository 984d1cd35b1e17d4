"""Builds the wheel: one package, `cupadmin`, with the rest of the tree inside it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

TREE = "cupadmin/_tree"
DATA = ("docs", "static", "templates")
# Packages of the checkout that an installed console has no use for.
LEFT_OUT = ("bench", "cupadmin", "tests")
EXTRAS = ("ldap", "pages", "saml", "xmpp")


def packages(root: Path) -> list[str]:
    """Name the top-level packages that the console consists of, but for `cupadmin`."""
    found = (path.parent.name for path in root.glob("*/__init__.py"))
    return sorted(name for name in found if name not in LEFT_OUT)


def requirements(path: Path) -> Iterator[str]:
    """Yield what a `requirements*.in` names, without comments and constraints."""
    for line in path.read_text().splitlines():
        text = re.sub(r"(^|\s+)#.*", "", line).strip()
        if text and not text.startswith("-"):
            yield text


class TreeHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the other packages, templates, docs and static files into the package."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # imported from the checkout
            return
        root = Path(self.root)
        names = [*packages(root), *DATA]
        included = {str(root / name): f"{TREE}/{name}" for name in names}
        build_data["force_include"].update(included)


class RequirementsHook(MetadataHookInterface):
    """Takes the dependencies from the files that `make lock` pins."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        root = Path(self.root)
        metadata["dependencies"] = list(requirements(root / "requirements.in"))
        metadata["optional-dependencies"] = {
            extra: list(requirements(root / f"requirements-{extra}.in"))
            for extra in EXTRAS
        }
