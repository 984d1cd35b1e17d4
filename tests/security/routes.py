"""Every route of the console, found by walking the URL resolver."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RegexPattern

NOBODY = uuid.UUID("00000000-0000-4000-8000-000000000000")


@dataclass(frozen=True)
class Route:
    """A route with an address that stands for all of its addresses."""

    name: str
    url: str
    view: Any

    @property
    def is_api(self) -> bool:
        return hasattr(self.view, "cls")

    @property
    def declarations(self) -> dict[str, Any]:
        """The table of roles that the view carries, to be changed by tests."""
        if self.is_api:
            return self.view.cls.access
        return self.view.access

    def action(self, method: str) -> str:
        """What the view calls this method in its table."""
        if not self.is_api:
            return method
        actions = getattr(self.view, "actions", None) or {}
        return actions.get(method.lower(), method.lower())


def routes() -> list[Route]:
    return list(walk(get_resolver(), "/", ()))


def walk(resolver: Any, url: str, spaces: tuple[str, ...]) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        address = url + example(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Route(":".join([*spaces, entry.name or ""]), address, entry.callback)
        else:
            inner = (*spaces, entry.namespace) if entry.namespace else spaces
            yield from walk(entry, address, inner)


def example(pattern: Any) -> str:
    """Return an address that the pattern matches."""
    text = str(pattern)
    if isinstance(pattern, RegexPattern):
        text = text.removeprefix("^").removesuffix("\\Z").removesuffix("$")
        for name in pattern.regex.groupindex:
            start = text.index(f"(?P<{name}>")
            text = text[:start] + str(NOBODY) + text[text.index(")", start) + 1 :]
        return text
    for name, converter in pattern.converters.items():
        value = "999999" if "Int" in type(converter).__name__ else str(NOBODY)
        for written in (
            f"<int:{name}>",
            f"<uuid:{name}>",
            f"<{name}>",
            f"<str:{name}>",
            f"<slug:{name}>",
        ):
            text = text.replace(written, value)
    return text
