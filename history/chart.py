"""Slots of time as drawings: stacked bars of outcomes, and lines of user counts.

The drawings stretch to any width, so their words stand beside them as HTML; a content
policy without inline styles leaves the attributes of SVG to place everything.
"""

from dataclasses import dataclass
from functools import cached_property

from django.utils import timezone

from history.availability import COUNTS, HOUR, Range, Slot
from peers.models import PeerOutcome

BAR, HEIGHT = 8, 100
# Of the width of a bar, so that neighbours are told apart.
GAP = 1
# Words under the time axis, evenly spaced.
TICKS = 5


@dataclass(frozen=True)
class ChartPart:
    """A piece of a bar: the share of one outcome."""

    outcome: str
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    """One slot: where it is drawn, and what it says."""

    slot: Slot
    x: int
    text: str
    parts: list[ChartPart]


@dataclass(frozen=True)
class Mark:
    """A count on the scale of the lines, and where its line is drawn."""

    place: str
    count: int
    y: float


@dataclass(frozen=True)
class Chart:
    """What a page needs to draw the slots of a range."""

    range: Range
    slots: list[Slot]

    @property
    def width(self) -> int:
        return BAR * len(self.slots)

    @property
    def bar(self) -> int:
        return BAR - GAP

    @cached_property
    def bars(self) -> list[Bar]:
        return [
            Bar(slot, n * BAR, text_of(slot), parts_of(slot))
            for n, slot in enumerate(self.slots)
        ]

    @cached_property
    def filled(self) -> list[Bar]:
        """Those with checks, the newest first, as the table lists them."""
        return [bar for bar in reversed(self.bars) if bar.slot.checks]

    @property
    def ticks(self) -> list[str]:
        """The times at equal distances of the axis; the last is the end."""
        begin, end = self.slots[0].at, self.slots[-1].at + self.slots[-1].length
        if self.range.step == HOUR:
            # As the words of the slots have it; days are those of UTC.
            begin, end = timezone.localtime(begin), timezone.localtime(end)
        step = (end - begin) / (TICKS - 1)
        return [(begin + n * step).strftime(self.range.ticks) for n in range(TICKS)]

    @cached_property
    def counts(self) -> list[int]:
        pairs = ((one.associated_users, one.remote_users) for one in self.slots)
        return [count for pair in pairs for count in pair if count is not None]

    @property
    def low(self) -> int:
        return min(self.counts)

    @property
    def high(self) -> int:
        return max(self.counts)

    @property
    def scale(self) -> list["Mark"]:
        """The counts beside the lines: the highest and the lowest, or the only one."""
        if self.low == self.high:
            return [Mark("only", self.high, self.height_of(self.high))]
        ends = ("high", self.high), ("low", self.low)
        return [Mark(place, count, self.height_of(count)) for place, count in ends]

    @property
    def associated(self) -> list[str]:
        return self.lines("associated_users")

    @property
    def remote(self) -> list[str]:
        return self.lines("remote_users")

    def lines(self, name: str) -> list[str]:
        """The points of a line for each stretch of slots whose count is known."""
        lines: list[list[str]] = [[]]
        for n, slot in enumerate(self.slots):
            count = getattr(slot, name)
            if count is None:
                lines.append([])
                continue
            y = self.height_of(count)
            # A step, so that a single slot is a line as well.
            lines[-1] += [f"{n * BAR},{y:g}", f"{(n + 1) * BAR},{y:g}"]
        return [" ".join(points) for points in lines if points]

    def height_of(self, count: int) -> float:
        if self.high == self.low:
            return HEIGHT / 2
        share = (count - self.low) / (self.high - self.low)
        return round(HEIGHT - 5 - share * (HEIGHT - 10), 1)


def parts_of(slot: Slot) -> list[ChartPart]:
    """Stack the shares from the bottom: what passed, warned, failed, is unknown."""
    parts, top = [], float(HEIGHT)
    for outcome in COUNTS:
        number = getattr(slot, outcome)
        if number:
            height = HEIGHT * number / slot.checks
            top -= height
            parts.append(ChartPart(outcome, round(top, 2), round(height, 2)))
    return parts


def text_of(slot: Slot) -> str:
    """Say a slot in words: its time, its checks by outcome, its users."""
    when = f"{slot.at:%Y-%m-%d}"
    if slot.length == HOUR:
        when = f"{timezone.localtime(slot.at):%Y-%m-%d %H:%M %Z}"
    if not slot.checks:
        return f"{when}: no checks"
    counts = [
        f"{number:,} {PeerOutcome(name).label.lower()}"
        for name in COUNTS
        if (number := getattr(slot, name))
    ]
    checks = "1 check" if slot.checks == 1 else f"{slot.checks:,} checks"
    users = ""
    if slot.associated_users is not None:
        users = f"; {slot.associated_users:,} of {slot.remote_users:,} users associated"
    return f"{when}: {checks}, {', '.join(counts)}{users}"
