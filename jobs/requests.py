"""What is requested before it is a job."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models

from accounts.cluster_limits import clusters_of


@dataclass(frozen=True)
class JobRequest:
    """A job that is to be submitted, in the words of `JobManager.submit`."""

    kind: str
    steps: Sequence[tuple[str, str]]
    target: models.Model | None = None
    label: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    locks: Iterable[str] = ()
    clusters: Iterable[UUID | str] = ()
    queue: str = ""

    @property
    def touched(self) -> list[UUID]:
        """The clusters that it works on, each once."""
        ids = {str(pk) for pk in (*self.clusters, *clusters_of(self.target))}
        return [UUID(pk) for pk in sorted(ids)]
