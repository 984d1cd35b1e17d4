"""The history of a peer, drawn: a bar for each check, a line for each count."""

from dataclasses import dataclass

from diagnostics.models import PeerCheck
from peers.models import Peer

BARS = 90


@dataclass(frozen=True)
class History:
    """The last checks of a peer, oldest first, and the lines of both counts."""

    checks: list[PeerCheck]
    associated: str
    remote: str

    @property
    def bars(self) -> list[tuple[int, PeerCheck]]:
        """Place each check, the newest at the right edge."""
        first = BARS - len(self.checks)
        return [((first + n) * 4, check) for n, check in enumerate(self.checks)]

    @property
    def newest(self) -> PeerCheck | None:
        return self.checks[-1] if self.checks else None

    @property
    def passed_share(self) -> int:
        passed = sum(check.outcome == "passed" for check in self.checks)
        return round(100 * passed / len(self.checks)) if self.checks else 0


def history_of(peer: Peer) -> History:
    checks = list(PeerCheck.objects.filter(peer=peer).defer("entries")[:BARS])[::-1]
    associated = [check.associated_users for check in checks]
    remote = [check.remote_users for check in checks]
    known = [count for count in (*associated, *remote) if count is not None]
    low, high = (min(known), max(known)) if known else (0, 0)
    return History(checks, line(associated, low, high), line(remote, low, high))


def line(counts: list[int | None], low: int, high: int) -> str:
    """Return the points of a polyline in a box of 360 x 40; gaps are left out."""
    span = (high - low) or 1
    first = BARS - len(counts)
    points = []
    for n, count in enumerate(counts):
        if count is not None:
            y = 20.0 if high == low else 37 - 34 * (count - low) / span
            points.append(f"{(first + n) * 4 + 1.5:g},{y:.1f}")
    return " ".join(points)
