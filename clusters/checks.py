"""Checks at start: the words of pages that an administrator corrected."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from pages import corrections

PAGE_WORDS = "platforms/pages.toml"


@register()
def page_words_can_be_read(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse to start with corrections that would silently not be used."""
    try:
        corrections.read_corrections(settings.DATA_DIR / PAGE_WORDS)
    except ValueError as error:
        hint = "Correct the file as docs/pages.md shows, or remove it."
        return [Error(str(error), hint=hint, id="clusters.E001")]
    return []
