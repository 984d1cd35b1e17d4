"""What a judgement says: outcome, problem, solution and where to mend it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from diagnostics.facts import Answer


class Outcome(StrEnum):
    """`information`: it could not be known, or there is nothing to judge."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    INFORMATION = "information"


SEVERITY = {
    Outcome.FAILED: 0,
    Outcome.WARNING: 1,
    Outcome.INFORMATION: 2,
    Outcome.PASSED: 3,
}


@dataclass(frozen=True)
class Fix:
    """The page that mends a problem: its URL's name, the object's id and a query."""

    view: str
    pk: str = ""
    query: str = ""


@dataclass(frozen=True)
class Verdict:
    """The outcome of one test on one thing."""

    outcome: Outcome
    problem: str = ""
    solution: str = ""
    fix: Fix | None = None

    def at(self, fix: Fix | None) -> "Verdict":
        """Return the same verdict with the page that mends it."""
        return replace(self, fix=fix)


PASSED = Verdict(Outcome.PASSED)


def failed(problem: str, solution: str = "", fix: Fix | None = None) -> Verdict:
    return Verdict(Outcome.FAILED, problem, solution, fix)


def warning(problem: str, solution: str = "", fix: Fix | None = None) -> Verdict:
    return Verdict(Outcome.WARNING, problem, solution, fix)


def information(problem: str, solution: str = "", fix: Fix | None = None) -> Verdict:
    return Verdict(Outcome.INFORMATION, problem, solution, fix)


def unknown(what: str, answer: Answer[object], fix: Fix | None = None) -> Verdict:
    """Say what is not known, and the reason that the wire gave."""
    return information(f"{what} Reason: {answer.reason}", answer.remedy, fix)


def caused_by(what: str, cause: str) -> Verdict:
    """Say what cannot be judged because another test failed."""
    return information(f"{what} Caused by: {cause}.", "Mend that first.")
