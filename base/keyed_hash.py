"""Hashes that need the console's secret key: a stolen table alone reveals nothing.

What people choose, as a password in a request, is found by trying a dictionary against
a bare hash. Former keys count too, so that a change of the key ends nothing.
"""

from collections.abc import Iterator

from django.conf import settings
from django.utils.crypto import salted_hmac


def keyed_hash(purpose: str, value: bytes | str) -> str:
    """Return 64 hexadecimal digits; another purpose has another key."""
    return next(keyed_hashes(purpose, value))


def keyed_hashes(purpose: str, value: bytes | str) -> Iterator[str]:
    """Yield the hash under the present key, then under each former one."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        mac = salted_hmac(purpose, value, secret=key, algorithm="sha256")
        yield mac.hexdigest()
