"""A kind of job that leaves a line for each thing it did, readable after any death."""

import os
import time
from collections import Counter
from pathlib import Path

from jobs.kinds import kind
from jobs.run import Run, Step

PATH = Path(os.environ.get("CUPADMIN_DATA_DIR", ".")) / "ledger"


def lines() -> Counter[str]:
    return Counter(PATH.read_text().splitlines()) if PATH.exists() else Counter()


@kind("write-lines", "Write lines")
def write_lines(run: Run) -> None:
    """Each step acts on the world outside, which a repeated attempt reads back."""

    def act(step: Step) -> None:
        line = f"{run.job.pk} {step.row.key}"
        if step.interrupted and lines()[line]:
            return
        with PATH.open("a") as ledger:
            ledger.write(f"{line}\n")
        time.sleep(run.arguments["seconds"])

    run.do("one", act)
    run.do("two", act)
