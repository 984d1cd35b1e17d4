"""The kinds of jobs; each app registers its own in its tasks module."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.models import Job
    from jobs.run import Run

Work = Callable[["Run"], None]
Page = Callable[["Job"], str]


@dataclass(frozen=True)
class Kind:
    """What a job does, in words for a person, and the function that does it."""

    name: str
    label: str
    work: Work
    queue: str
    # How it ends is an entry of the audit trail, since it changes something.
    audited: bool = False
    # The URL of the page of what it works on, where that is no single thing.
    page: Page | None = None


_kinds: dict[str, Kind] = {}


def kind(
    name: str,
    label: str,
    *,
    queue: str = "operate",
    audited: bool = False,
    page: Page | None = None,
) -> Callable[[Work], Work]:
    """Register the decorated function as the work of jobs of this kind."""

    def register(work: Work) -> Work:
        _kinds[name] = Kind(name, label, work, queue, audited, page)
        return work

    return register


def get(name: str) -> Kind:
    """Return the kind; a kind of an older release still has a name to show."""
    return _kinds.get(name) or Kind(name, name.replace("-", " ").capitalize(), gone, "")


def gone(run: "Run") -> None:
    run.fail("This release no longer knows this kind of job.")


def choices() -> list[tuple[str, str]]:
    return sorted((kind.name, kind.label) for kind in _kinds.values())
