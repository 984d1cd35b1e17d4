"""A kind of job that leaves a line for each thing it did, readable after any death."""

import os
import time
from collections import Counter
from pathlib import Path

from accounts.roles import Role
from jobs import presence
from jobs.kind import JobKind
from jobs.run import Step

FOLDER = Path(os.environ.get("CUPADMIN_DATA_DIR", "."))
PATH = FOLDER / "ledger"
# Acts that wait go on when it exists.
GATE = FOLDER / "gate"


def lines() -> Counter[str]:
    return Counter(PATH.read_text().splitlines()) if PATH.exists() else Counter()


def is_held(limit: int | None) -> bool:
    """Tell whether acts wait: as many lines are written, and nobody ends the wait."""
    reached = limit is not None and lines().total() >= limit
    return reached and not GATE.exists() and not presence.stopping.is_set()


class WriteLines(JobKind):
    """Each step acts on the world outside, which a repeated attempt reads back."""

    name = "write-lines"
    label = "Write lines"
    role = Role.OPERATOR

    def work(self) -> None:
        self.run.do("one", self.act)
        self.run.do("two", self.act)

    def act(self, step: Step) -> None:
        line = f"{self.job.pk} {step.row.key}"
        if step.interrupted and lines()[line]:
            return
        with PATH.open("a") as ledger:
            ledger.write(f"{line}\n")
        while is_held(self.run.arguments["limit"]):
            time.sleep(0.05)
