"""A value that was asked for, or why it could not be had.

Nothing is ever guessed, so that unknown can never be taken for good.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from wire import WireError

T = TypeVar("T", covariant=True)

NOT_ASKED = "It was not asked."
TOO_LATE = "It was not checked in time."


@dataclass(frozen=True)
class Failure:
    """Why something could not be had: a code of wire.Code, and words for a person."""

    code: str
    message: str
    remedy: str = ""
    detail: str = ""
    # It may pass by itself, so that it says nothing about what was asked for.
    passing: bool = False

    @classmethod
    def of(cls, error: WireError) -> "Failure":
        return cls(
            error.code.value,
            error.message,
            error.remedy,
            error.detail,
            error.retryable,
        )


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A value, or the failure to get it; neither of them: it was not asked.

    Args:
        late: the time of the whole check was over before there could be an answer.
        absent: why the workers that reach it did not ask; then it is late as well.
    """

    value: T | None = None
    failure: Failure | None = None
    duration_ms: float | None = None
    at: datetime | None = field(default=None, compare=False)
    late: bool = False
    absent: str = ""

    @property
    def known(self) -> bool:
        return self.value is not None

    @property
    def code(self) -> str:
        return self.failure.code if self.failure else ""

    @property
    def reason(self) -> str:
        """Say why there is no value."""
        if self.late:
            return self.absent or TOO_LATE
        return self.failure.message if self.failure else NOT_ASKED

    @property
    def remedy(self) -> str:
        if self.absent:
            return "See System > Processes, and the log of the workers of that site."
        if self.late:
            return "Check again; if it is late again, see which answers took the time."
        return self.failure.remedy if self.failure else ""

    def part(self, value: Any) -> "Answer[Any]":
        """Give what of this answer a judgement looked at."""
        return replace(self, value=value) if self.known else self


UNASKED: Answer[Any] = Answer()
