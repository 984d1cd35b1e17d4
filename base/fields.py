"""JSON columns that take any text and give back what every page can show."""

import json
import re
from typing import Any

from django.db import models

REPLACEMENT = "\ufffd"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable_text(text: str) -> str:
    """Replace what a database or an encoded page cannot hold: NUL, lone surrogates."""
    return _UNSTORABLE.sub(REPLACEMENT, text)


class StorableEncoder(json.JSONEncoder):
    """Writes a document whose texts and keys are all storable."""

    def encode(self, o: Any) -> str:
        text = super().encode(o)
        # Pairs of surrogates are how JSON writes other planes: they stay.
        if r"\u0000" in text or r"\ud" in text:
            return super().encode(_cleaned(o))
        return text


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value]
    return value


class JSONField(models.JSONField[Any, Any]):
    """Django's field, written by `StorableEncoder`; the column is the same."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("encoder", StorableEncoder)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """Let migrations see Django's own field."""
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("encoder", None)
        return name, "django.db.models.JSONField", args, kwargs
