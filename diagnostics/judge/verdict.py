"""What a judgement says: outcome, problem, solution and where to fix it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from diagnostics.answers import Answer


class Outcome(StrEnum):
    """`unknown`: it could not be known; `information`: there is nothing to judge."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    UNKNOWN = "unknown"
    INFORMATION = "information"


class KnownBy(StrEnum):
    """By what an entry of a status is known, in the words of the REST contract."""

    TABLE = "table"
    PAGES = "pages"
    USERS = "users"
    PROBE = "probe"
    SERVICES = "services"
    ATTESTED = "attested"
    NONE = "none"


@dataclass(frozen=True)
class Fix:
    """The page that fixes a problem: its URL's name, the object's id and a query.

    Args:
        field: the field of the page's form that is to be corrected.
    """

    view: str
    pk: str = ""
    query: str = ""
    field: str = ""


@dataclass(frozen=True)
class Verdict:
    """The outcome of one test on one thing."""

    outcome: Outcome
    problem: str = ""
    solution: str = ""
    fix: Fix | None = None
    # None: by what entries of this kind are known otherwise.
    known_by: KnownBy | None = None

    def by(self, known_by: KnownBy) -> "Verdict":
        return replace(self, known_by=known_by)


PASSED = Verdict(Outcome.PASSED)
# What to do where another test says what is wrong.
FIX_FIRST = "Fix that problem first."


def failed(problem: str, solution: str = "", fix: Fix | None = None) -> Verdict:
    return Verdict(Outcome.FAILED, problem, solution, fix)


def warning(problem: str, solution: str = "", fix: Fix | None = None) -> Verdict:
    return Verdict(Outcome.WARNING, problem, solution, fix)


def information(problem: str, solution: str = "", fix: Fix | None = None) -> Verdict:
    return Verdict(Outcome.INFORMATION, problem, solution, fix)


def unknown(what: str, answer: Answer[object], fix: Fix | None = None) -> Verdict:
    """Say what is not known, and the reason that the wire gave."""
    return not_known(f"{what} Reason: {answer.reason}", answer.remedy, fix)


def not_known(problem: str, solution: str = "", fix: Fix | None = None) -> Verdict:
    return Verdict(Outcome.UNKNOWN, problem, solution, fix)


def not_judged(what: str, answer: Answer[object], cause: str) -> Verdict:
    """Say what cannot be judged without an answer: it came too late, or its cause."""
    return unknown(what, answer) if answer.late else caused_by(what, cause)


def caused_by(what: str, cause: str) -> Verdict:
    """Say what cannot be judged because another test failed."""
    return not_known(f"{what} Caused by: {cause}.", FIX_FIRST)


def listed_texts(texts: Iterable[str]) -> str:
    """Join as a sentence does, ten at most."""
    texts = list(texts)
    named = texts[:10] + ([f"{len(texts) - 10} more"] if len(texts) > 10 else [])
    return " and ".join([", ".join(named[:-1]), named[-1]] if named[1:] else named)
