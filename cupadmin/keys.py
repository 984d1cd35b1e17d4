"""Keys that a fresh installation makes for itself, once, readable by its owner only."""

import json
import os
import secrets
from base64 import b64decode, b64encode
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def read_or_create(path: Path, fresh: str) -> str:
    """Return the text of `path`; write `fresh` there first if there is no such file.

    Two processes that start together agree: the link into place fails for the second.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(fresh)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def fresh_field_keys() -> str:
    return json.dumps({"1": b64encode(secrets.token_bytes(32)).decode()})


def parse_field_keys(text: str) -> dict[str, bytes]:
    """Return {key id: 32 bytes} in the order given; the first one encrypts."""
    try:
        keys = {str(name): b64decode(key) for name, key in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ImproperlyConfigured(
            "CUPADMIN_FIELD_KEYS must be JSON: {key id: base64 of 32 bytes}."
        ) from error
    if not keys or any(len(key) != 32 for key in keys.values()):
        raise ImproperlyConfigured("Each key in CUPADMIN_FIELD_KEYS needs 32 bytes.")
    return keys
