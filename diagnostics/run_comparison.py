"""Two runs compared: what broke and what was fixed."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from diagnostics.models import TroubleshooterResult, TroubleshooterRun

Outcome = TroubleshooterResult.Outcome
BAD = (Outcome.FAILED, Outcome.WARNING)
Key = tuple[str, str, str, str]
Rows = list[TroubleshooterResult]


@dataclass
class RunComparison:
    """The rows of two runs that tell of a change, and what is wrong in both."""

    earlier: TroubleshooterRun
    later: TroubleshooterRun
    broke: Rows = field(default_factory=list)
    fresh: Rows = field(default_factory=list)
    fixed: Rows = field(default_factory=list)
    unseen: Rows = field(default_factory=list)
    still: Rows = field(default_factory=list)

    @property
    def tables(self) -> list[tuple[str, Rows]]:
        return [
            ("New problems", self.broke),
            ("Newly detected problems", self.fresh),
            ("Fixed", self.fixed),
            ("What was wrong and is not known now", self.unseen),
            ("What is still wrong", self.still),
        ]


def compare_runs(earlier: TroubleshooterRun, later: TroubleshooterRun) -> RunComparison:
    """Compare what is wrong; names count, so that a row survives a re-added peer.

    What the other run did not test, or could not know, neither broke nor was fixed.
    """
    found = RunComparison(earlier, later)
    before, now = problems_of(earlier), problems_of(later)
    known_before = outcomes_of(earlier, (row.code for row in now.values()))
    known_now = outcomes_of(later, (row.code for row in before.values()))
    for key, row in now.items():
        if key in before:
            found.still.append(row)
        else:
            passed = known_before.get(key) == Outcome.PASSED
            (found.broke if passed else found.fresh).append(row)
    for key, row in before.items():
        if key not in now:
            passed = known_now.get(key) == Outcome.PASSED
            (found.fixed if passed else found.unseen).append(row)
    return found


def problems_of(run: TroubleshooterRun) -> dict[Key, TroubleshooterResult]:
    rows = run.results.filter(outcome__in=BAD).order_by("position")
    return {
        (row.code, row.cluster_name, row.node_name, row.peer_address): row
        for row in rows
    }


def outcomes_of(run: TroubleshooterRun, codes: Iterable[str]) -> dict[Key, str]:
    """Return what a run said of each thing that these tests are about."""
    rows = run.results.filter(code__in=set(codes)).order_by()
    names = ("code", "cluster_name", "node_name", "peer_address", "outcome")
    return {(a, b, c, d): outcome for a, b, c, d, outcome in rows.values_list(*names)}
