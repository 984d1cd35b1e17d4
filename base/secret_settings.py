"""Secrets among the settings: each comes in a variable, or in a file that one names."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from environs import Env

T = TypeVar("T")


def read_secret(env: Env, name: str) -> str:
    """Return CUPADMIN_<name>, or the text of the file CUPADMIN_<name>_FILE; or "".

    Raises:
        ImproperlyConfigured: both are set, or the file is missing, unreadable or empty.
    """
    value, path = env.str(name, ""), env.str(f"{name}_FILE", "")
    if not path:
        return value
    if value:
        raise ImproperlyConfigured(
            f"CUPADMIN_{name} and CUPADMIN_{name}_FILE are both set. Remove one."
        )
    return read_file(Path(path), f"CUPADMIN_{name}_FILE names {path}, which")


def read_file(path: Path, subject: str) -> str:
    """Return the text of a file that must hold a secret; a sentence if it does not.

    Args:
        subject: the beginning of the sentence, up to its verb.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{subject} cannot be read: {error.strerror}."
        ) from None
    except UnicodeError:
        text = "\0"
    if not text:
        raise ImproperlyConfigured(
            f"{subject} is empty. Write the secret into it, or restore it from the "
            "backup."
        )
    if "\0" in text:
        raise ImproperlyConfigured(f"{subject} does not hold text in UTF-8.")
    return text


def parse_secret(name: str, parse: Callable[[str], T], value: str) -> T:
    """Parse a secret URL; what is wrong with it is said without showing it."""
    try:
        return parse(value)
    except Exception:
        raise ImproperlyConfigured(f"CUPADMIN_{name} is not a valid URL.") from None


def take_secret(env: Env, name: str) -> str:
    """Return a secret that no child process needs, and remove it from ours."""
    value = read_secret(env, name)
    os.environ.pop(f"CUPADMIN_{name}", None)
    return value


def split_secrets(text: str) -> list[str]:
    """Split several secrets: by commas, or one a line in a file."""
    return [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]
