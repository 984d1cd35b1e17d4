"""Two runs compared: what broke and what was mended."""

from dataclasses import dataclass

from diagnostics.models import TroubleshooterResult, TroubleshooterRun

Outcome = TroubleshooterResult.Outcome
BAD = (Outcome.FAILED, Outcome.WARNING)
Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Comparison:
    """The rows of a later run that were good before, and the other way round."""

    earlier: TroubleshooterRun
    later: TroubleshooterRun
    broke: list[TroubleshooterResult]
    mended: list[TroubleshooterResult]
    still: list[TroubleshooterResult]

    @property
    def tables(self) -> list[tuple[str, list[TroubleshooterResult]]]:
        return [
            ("What broke", self.broke),
            ("What was mended", self.mended),
            ("What is still wrong", self.still),
        ]


def compare(earlier: TroubleshooterRun, later: TroubleshooterRun) -> Comparison:
    """Compare what is wrong; names count, so that a row survives a re-added peer."""
    before, now = wrong(earlier), wrong(later)
    return Comparison(
        earlier,
        later,
        broke=[row for key, row in now.items() if key not in before],
        mended=[row for key, row in before.items() if key not in now],
        still=[row for key, row in now.items() if key in before],
    )


def wrong(run: TroubleshooterRun) -> dict[Key, TroubleshooterResult]:
    rows = run.results.filter(outcome__in=BAD).order_by("position")
    return {
        (row.code, row.cluster_name, row.node_name, row.peer_address): row
        for row in rows
    }
