"""Two runs compared: what broke and what was mended."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from diagnostics.models import TroubleshooterResult, TroubleshooterRun

Outcome = TroubleshooterResult.Outcome
BAD = (Outcome.FAILED, Outcome.WARNING)
Key = tuple[str, str, str, str]
Rows = list[TroubleshooterResult]


@dataclass
class Comparison:
    """The rows of two runs that tell of a change, and what is wrong in both."""

    earlier: TroubleshooterRun
    later: TroubleshooterRun
    broke: Rows = field(default_factory=list)
    fresh: Rows = field(default_factory=list)
    mended: Rows = field(default_factory=list)
    unseen: Rows = field(default_factory=list)
    still: Rows = field(default_factory=list)

    @property
    def tables(self) -> list[tuple[str, Rows]]:
        return [
            ("What broke", self.broke),
            ("What is wrong and was not known before", self.fresh),
            ("What was mended", self.mended),
            ("What was wrong and is not known now", self.unseen),
            ("What is still wrong", self.still),
        ]


def compare(earlier: TroubleshooterRun, later: TroubleshooterRun) -> Comparison:
    """Compare what is wrong; names count, so that a row survives a re-added peer.

    What the other run did not test, or could not know, neither broke nor was mended.
    """
    found = Comparison(earlier, later)
    before, now = wrong(earlier), wrong(later)
    known_before = outcomes(earlier, (row.code for row in now.values()))
    known_now = outcomes(later, (row.code for row in before.values()))
    for key, row in now.items():
        if key in before:
            found.still.append(row)
        else:
            passed = known_before.get(key) == Outcome.PASSED
            (found.broke if passed else found.fresh).append(row)
    for key, row in before.items():
        if key not in now:
            passed = known_now.get(key) == Outcome.PASSED
            (found.mended if passed else found.unseen).append(row)
    return found


def wrong(run: TroubleshooterRun) -> dict[Key, TroubleshooterResult]:
    rows = run.results.filter(outcome__in=BAD).order_by("position")
    return {
        (row.code, row.cluster_name, row.node_name, row.peer_address): row
        for row in rows
    }


def outcomes(run: TroubleshooterRun, codes: Iterable[str]) -> dict[Key, str]:
    """Return what a run said of each thing that these tests are about."""
    rows = run.results.filter(code__in=set(codes)).order_by()
    names = ("code", "cluster_name", "node_name", "peer_address", "outcome")
    return {(a, b, c, d): said for a, b, c, d, said in rows.values_list(*names)}
