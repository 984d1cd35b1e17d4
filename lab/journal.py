"""What a node was asked, for the tests to look at."""

from dataclasses import dataclass

JOURNAL = 2000


@dataclass(frozen=True)
class RecordedCall:
    """One request that a node was asked, for the tests to look at."""

    path: str
    operation: str
    user: str
    sql: str
    status: int
    source: str
    headers: dict[str, str]
    time: float
