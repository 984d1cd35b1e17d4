"""What of the overview changes by itself, and whether it did."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import F

from accounts.cluster_limits import all_clusters
from diagnostics.jobs.sweep import Sweep
from jobs.models import Job
from mesh.forms import narrow_matrix
from mesh.matrix import ROOMY, Mesh, read_mesh
from notifications.models import Maintenance
from overview.figures import Card, all_good, figure_cards
from overview.models import Problem
from overview.renewal import renew_if_outdated
from peers.models import Peer

# So many problems are shown beside the mesh; all are on their own page.
MOST_PROBLEMS = 7


@dataclass(frozen=True)
class SweepState:
    """The newest sweep, the last that ended, and the peer checked longest ago."""

    job: Job | None
    finished: Job | None
    oldest: Peer | None


class Overview:
    """Everything that the overview shows of one moment, for one person."""

    def __init__(self, query: Any = None) -> None:
        """Look at everything.

        Args:
            query: the filters of a large matrix; the figures are of the whole mesh.
        """
        renew_if_outdated()
        self.mesh: Mesh = read_mesh()
        self.large = len(self.mesh.clusters) > ROOMY
        self.form, self.part = narrow_matrix(self.mesh, query or {})
        self.filters = urlencode(
            {name: value for name, value in (query or {}).items() if name != "seen"}
        )

    @cached_property
    def cards(self) -> list[Card]:
        return figure_cards(self.mesh) if self.mesh.clusters else []

    @cached_property
    def open(self) -> list[Problem]:
        return list(Problem.objects.open())

    @cached_property
    def acknowledged(self) -> int:
        return int(Problem.objects.acknowledged().count())

    @property
    def visible(self) -> list[Problem]:
        return self.open[:MOST_PROBLEMS]

    @property
    def more(self) -> int:
        return max(len(self.open) - MOST_PROBLEMS, 0)

    @property
    def all_clear(self) -> bool:
        """Only where nothing is open or acknowledged, and every figure is green."""
        return not self.open and not self.acknowledged and all_good(self.cards)

    @cached_property
    def sweep(self) -> SweepState:
        sweeps = Sweep.all().order_by("-created_at")
        with all_clusters():
            newest = sweeps.first()
            finished = sweeps.exclude(finished_at=None).first()
        oldest = Peer.objects.order_by(F("checked_at").asc(nulls_first=True)).first()
        return SweepState(newest, finished, oldest)

    @property
    def version(self) -> str:
        """Names what is shown, so that a poll can say that nothing has changed."""
        text = repr([self.cells, self.cards, self.problems, self.sweeping])
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]

    @property
    def cells(self) -> list[Any]:
        cells = [(cell.outcome, cell.peer, cell.one_sided) for cell in self.mesh.cells]
        named = [(one.pk, one.name, one.health) for one in self.mesh.clusters]
        windows = Maintenance.objects.open().order_by("cluster")
        return [named, cells, list(windows.values_list("cluster", flat=True))]

    @property
    def problems(self) -> list[Any]:
        fields = ("pk", "severity", "sentence", "visible_fix_url", "affected")
        values = [[getattr(one, name) for name in fields] for one in self.visible]
        return [values, self.more, self.acknowledged]

    @property
    def sweeping(self) -> list[Any]:
        job, oldest = self.sweep.job, self.sweep.oldest
        return [
            job and (job.pk, job.state, job.finished_at),
            oldest and (oldest.pk, oldest.checked_at),
        ]
