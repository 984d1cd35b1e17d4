"""The external phone number mask: digits and X, the Xs at the end."""

import re

from django.core.exceptions import ValidationError

LONGEST_MASK = 24
_SHAPE = re.compile(r"\+?[0-9*#]*X*")


def validate_mask(mask: str) -> None:
    """Raise ValidationError with the one thing that is wrong with a mask."""
    if not mask:
        return
    if len(mask) > LONGEST_MASK:
        raise ValidationError(
            f"A mask has at most {LONGEST_MASK} characters.", "too_long"
        )
    if not re.fullmatch(r"[0-9+*#X]*", mask):
        raise ValidationError(
            "A mask holds digits, +, *, # and X, nothing else.", "characters"
        )
    if mask.count("+") > 1 or "+" in mask[1:]:
        raise ValidationError("Only one + is allowed, as the first character.", "plus")
    if mask == "+":
        raise ValidationError("A mask needs digits or Xs after the +.", "plus_alone")
    if not _SHAPE.fullmatch(mask):
        raise ValidationError(
            "The Xs stand for the extension and must come last.", "x_last"
        )


def validate_number(number: str) -> None:
    """Raise ValidationError for what is no directory number; none at all is fine."""
    if not re.fullmatch(r"\+?[0-9*#]*", number):
        raise ValidationError("A directory number holds digits, * and #.", "characters")


def apply_mask(mask: str, number: str) -> str | None:
    """Return the number as the mask makes it, right-aligned.

    Digits that find no X are dropped on the left; None when the mask has more Xs
    than the number has digits, for then no number can be told.
    """
    places = mask.count("X")
    if not mask:
        return number
    if places > len(number):
        return None
    literal = mask[: len(mask) - places]
    return literal + number[len(number) - places :]
