"""What an external phone number mask makes of real directory numbers."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from peers.mask import apply_mask

E164_LONGEST = 15
SAMPLES = 8


@dataclass(frozen=True)
class Masked:
    """A directory number under a mask.

    Args:
        result: the number that others see; None when the number is too short.
        dropped: digits on the left for which the mask has no place.
    """

    number: str
    mask: str
    result: str | None
    dropped: str

    @property
    def too_short(self) -> bool:
        return self.result is None

    @property
    def already_e164(self) -> bool:
        return bool(self.mask) and self.number.startswith("+")

    @property
    def too_long(self) -> bool:
        """E.164 has at most fifteen digits."""
        result = self.result or ""
        return result.startswith("+") and len(result) - 1 > E164_LONGEST

    @property
    def problems(self) -> list[str]:
        places = self.mask.count("X")
        return [
            sentence
            for wrong, sentence in (
                (
                    self.too_short,
                    f"Too short: the mask wants {places} digits, the number has "
                    f"{len(self.number)}.",
                ),
                (
                    self.already_e164,
                    "It is an E.164 number already; the mask is applied twice.",
                ),
                (self.dropped, f"{self.dropped} is dropped on the left."),
                (self.too_long, "The result is longer than E.164 allows."),
            )
            if wrong
        ]

    @property
    def steps(self) -> list[str]:
        """How the result comes about, for a person."""
        if not self.mask:
            return ["The peer has no mask: the number stays as it is."]
        places = self.mask.count("X")
        literal = self.mask[: len(self.mask) - places]
        if self.result is None:
            return self.problems
        if not places:
            return [f"The mask has no X: {literal} stands for every number."]
        last_digits = self.number[len(self.number) - places :]
        steps = [
            f"The last {places} digits of {self.number} take the Xs: {last_digits}."
        ]
        if self.dropped:
            steps.append(f"{self.dropped} finds no X and is dropped.")
        return [*steps, f"The mask's own digits go before: {literal or 'none'}."]


def mask_number(mask: str, number: str) -> Masked:
    result = apply_mask(mask, number)
    places = mask.count("X")
    dropped = number[: len(number) - places] if mask and places else ""
    return Masked(number, mask, result, "" if result is None else dropped)


@dataclass
class Preview:
    """A mask on all directory numbers of a remote cluster, in numbers and samples."""

    mask: str
    numbers: int = 0
    unchanged: bool = False
    too_short: int = 0
    dropped: int = 0
    already_e164: int = 0
    too_long: int = 0
    collisions: list[tuple[str, int]] = field(default_factory=list)
    collided: int = 0
    across: list[str] = field(default_factory=list)
    crossed: int = 0
    samples: list[Masked] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (
            self.too_short
            or self.dropped
            or self.already_e164
            or self.too_long
            or self.collided
            or self.crossed
        )


def preview_mask(
    mask: str, numbers: Iterable[str], back: Iterable[str | None] = ()
) -> Preview:
    """Show a mask on the remote cluster's numbers.

    Args:
        back: the home cluster's numbers as the remote cluster sees them; the same
            number in both directions would mean two people.
    """
    preview = Preview(mask)
    results: Counter[str] = Counter()
    samples: dict[str, Masked] = {}
    for number in numbers:
        masked = mask_number(mask, number)
        preview.numbers += 1
        preview.too_short += masked.too_short
        preview.dropped += bool(masked.dropped)
        preview.already_e164 += masked.already_e164
        preview.too_long += masked.too_long
        if masked.result is not None:
            results[masked.result] += 1
        keep_sample(samples, masked)
    twice = {number: n for number, n in results.items() if n > 1}
    preview.collided = sum(twice.values())
    preview.collisions = sorted(twice.items())[:SAMPLES]
    both = results.keys() & {number for number in back if number}
    preview.crossed, preview.across = len(both), sorted(both)[:SAMPLES]
    preview.samples = sorted(samples.values(), key=lambda masked: masked.number)
    return preview


def keep_sample(samples: dict[str, Masked], masked: Masked) -> None:
    """Keep a few numbers of each way that it can go."""
    kind = "".join(text[0] for text in masked.problems) or "good"
    for place in range(SAMPLES // 2):
        key = f"{kind} {len(masked.number)} {place}"
        if key not in samples and len(samples) < 3 * SAMPLES:
            samples[key] = masked
            return
