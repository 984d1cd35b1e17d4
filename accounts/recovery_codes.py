"""Recovery codes as people type and read them, and those of before django-allauth."""

import hashlib

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User

DIGITS = 16


def group_code(code: str) -> str:
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))


def digits_of(typed: str) -> str:
    """Return the digits without the spaces and dashes between them."""
    code = "".join(typed.split()).replace("-", "")
    return code if code.isascii() and code.isdigit() else ""


def as_stored(user: User, typed: str) -> str:
    """Return a typed code as the library compares it.

    Of codes that were made before the console used the library only hashes exist.
    """
    code = digits_of(typed)
    if len(code) != DIGITS:
        return code
    kind = Authenticator.Type.RECOVERY_CODES
    row = Authenticator.objects.filter(user=user, type=kind).first()
    if row is None or "migrated_codes" not in row.data:
        return code
    return hashlib.sha256(code.encode()).hexdigest()
