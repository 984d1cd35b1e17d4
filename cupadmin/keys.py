"""Keys that a fresh installation makes for itself, once, readable by its owner only."""

import binascii
import json
import os
import re
import secrets
from base64 import b64decode, b64encode
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environs import Env

from base.secret_settings import read_file, read_secret

# The two signs separate it from what it opens.
KEY_ID = re.compile(r"[^|$]{1,64}")


def key_text(env: Env, name: str, path: Path, fresh: str) -> str:
    """Return the key that the environment gives; else that of `path`, made if missing.

    Raises:
        ImproperlyConfigured: it is given twice, or its file is unreadable or empty.
    """
    return read_secret(env, name) or read_or_create(path, fresh)


def read_or_create(path: Path, fresh: str) -> str:
    """Return the text of `path`; write `fresh` there first if there is no such file.

    Two processes that start together agree: the link into place fails for the second.
    """
    try:
        if not path.exists():
            create_key(path, fresh)
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} cannot be written: {error.strerror}."
        ) from None
    return read_file(path, f"The key file {path}")


def create_key(path: Path, fresh: str) -> None:
    """Write it aside, then link it into place, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.touch(mode=0o600)
        with draft.open("w") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def fresh_secret_key() -> str:
    return secrets.token_urlsafe(64)


def fresh_field_keys() -> str:
    return json.dumps({"1": b64encode(secrets.token_bytes(32)).decode()})


def parse_field_keys(text: str) -> dict[str, bytes]:
    """Return {key id: 32 bytes} in the order given; the first one encrypts."""
    try:
        keys = {name: key_bytes(key) for name, key in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise ImproperlyConfigured(
            "CUPADMIN_FIELD_KEYS, or the file field_keys.json, must be JSON: "
            "{key id: base64 of 32 bytes}."
        ) from None
    if not keys or any(len(key) != 32 for key in keys.values()):
        raise ImproperlyConfigured(
            "Each key in CUPADMIN_FIELD_KEYS, or in the file field_keys.json, needs "
            "32 bytes."
        )
    if not all(KEY_ID.fullmatch(name) for name in keys):
        raise ImproperlyConfigured(
            "A key id in CUPADMIN_FIELD_KEYS, or in the file field_keys.json, must be "
            "1 to 64 characters without | and $."
        )
    return keys


def key_bytes(text: str) -> bytes:
    """Decode strictly: Python's default skips what is no base64."""
    try:
        return b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
