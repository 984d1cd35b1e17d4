"""Passwords inside URLs of settings are never shown, wherever settings are dumped."""

import re
from typing import Any

from django.views.debug import SafeExceptionReporterFilter

STARS = "********"
# Up to the last @, since a password may hold one that nobody escaped.
USER_PART = re.compile(r"(://[^:/@\s]*:)\S+@")
QUERY_PART = re.compile(
    r"([?&][^=&\s]*(?:pass|secret|token|key)[^=&\s]*=)[^&\s]+", re.I
)


def mask_passwords(text: str) -> str:
    """Return the text with stars for the password of every URL in it."""
    return QUERY_PART.sub(rf"\1{STARS}", USER_PART.sub(rf"\1{STARS}@", text))


class HiddenUrl(str):
    """A URL that works as it is, and shows no password where its repr is printed."""

    def __repr__(self) -> str:
        return repr(mask_passwords(self))


class SettingsFilter(SafeExceptionReporterFilter):
    """Cleanses what Django shows of settings and of the environment of a request."""

    cleansed_substitute = STARS

    def cleanse_setting(self, key: str | int, value: Any) -> Any:
        cleansed = super().cleanse_setting(key, value)
        return mask_passwords(cleansed) if isinstance(cleansed, str) else cleansed
