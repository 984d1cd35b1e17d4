"""A migrated SQLite file that each process of the tests copies.

Migrating takes seconds, of each worker in each run; what comes of it is the same until
the code or a package changes.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.core import management
from django.db import connection

FOLDER = Path(settings.BASE_DIR) / "var" / "migrated"


@contextmanager
def copied_when_created() -> Iterator[None]:
    """Let the database of the tests be a copy; another than SQLite is migrated."""
    creation = connection.creation
    create = creation.create_test_db

    def create_copy(*args: object, **options: object) -> str:
        with mock.patch.object(management, "call_command", copy_or_command):
            return create(*args, **options)

    if connection.vendor != "sqlite":
        yield
        return
    with mock.patch.object(creation, "create_test_db", create_copy):
        yield


command = management.call_command


def copy_or_command(name: str, *args: object, **options: object) -> object:
    if name != "migrate":
        return command(name, *args, **options)
    connection.ensure_connection()
    with locked(FOLDER):
        template = FOLDER / f"{state()}.sqlite3"
        if template.exists():
            with closing(sqlite3.connect(template)) as source:
                source.backup(connection.connection)
        else:
            command(name, *args, **options)
            save(template)
    return None


def save(template: Path) -> None:
    """Keep what was migrated, and nothing of earlier states."""
    for earlier in FOLDER.glob("*.sqlite3*"):
        earlier.unlink()
    # A run that is ended here leaves no half of a file under the name.
    part = template.with_suffix(".sqlite3.part")
    with closing(sqlite3.connect(part)) as target:
        connection.connection.backup(target)
    os.replace(part, template)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process migrates, those that start beside it wait for its file."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def state() -> str:
    """All that migrations, and what follows them, depend on."""
    digest = sha256(sqlite3.sqlite_version.encode())
    packages = sorted((d.name, d.version) for d in distributions())
    digest.update(repr((settings.INSTALLED_APPS, packages)).encode())
    for path in sorted(code()):
        digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()[:32]


def code() -> Iterator[Path]:
    """The modules of the project, of which the tests are none."""
    base = Path(settings.BASE_DIR)
    for package in base.glob("*/__init__.py"):
        if package.parent.name != "tests":
            yield from package.parent.rglob("*.py")
