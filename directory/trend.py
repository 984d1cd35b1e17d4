"""The counts of a peer's two clusters over time, drawn."""

from dataclasses import dataclass

from directory.models import Comparison
from peers.models import Peer

WIDTH, HEIGHT, MARGIN = 360, 40, 4
MOST_POINTS = 90


@dataclass(frozen=True)
class Trend:
    """The last comparisons of a peer, the oldest first."""

    points: list[Comparison]

    def __bool__(self) -> bool:
        return len(self.points) > 1

    @property
    def newest(self) -> Comparison:
        return self.points[-1]

    @property
    def home(self) -> str:
        return self._line([point.home_count for point in self.points])

    @property
    def remote(self) -> str:
        return self._line([point.remote_count for point in self.points])

    def _line(self, counts: list[int]) -> str:
        """The points of a polyline; both lines share one scale."""
        every = [n for p in self.points for n in (p.home_count, p.remote_count)]
        low, high = min(every), max(every)
        span = max(high - low, 1)
        step = WIDTH / max(len(counts) - 1, 1)
        room = HEIGHT - 2 * MARGIN
        return " ".join(
            f"{place * step:.1f},{HEIGHT - MARGIN - (count - low) / span * room:.1f}"
            for place, count in enumerate(counts)
        )


def trend_of(peer: Peer) -> Trend:
    return Trend(list(peer.comparisons.all()[:MOST_POINTS])[::-1])
