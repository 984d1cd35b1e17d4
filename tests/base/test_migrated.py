"""The database of the tests is a copy of one that was migrated (tests/migrated.py)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests import migrated

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="only SQLite is a file to copy"
)


def tables(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT type, name, sql FROM sqlite_master")
        return sorted(rows.fetchall(), key=repr)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(migrated, "FOLDER", tmp_path)
    return tmp_path


def test_copy_has_every_migration(db):
    from django.db.migrations.loader import MigrationLoader

    applied = MigrationRecorder(connection).applied_migrations()
    on_disk = MigrationLoader(connection).disk_migrations
    assert on_disk.keys() <= applied.keys()


def test_first_migrates_and_the_next_copies(transactional_db, monkeypatch, folder):
    commands = []
    monkeypatch.setattr(migrated, "command", lambda name, **_: commands.append(name))
    (folder / "earlier.sqlite3").touch()
    migrated.copy_or_command("migrate", verbosity=0)
    (made,) = folder.glob("*.sqlite3")
    assert tables(made) == tables(connection.settings_dict["NAME"])
    migrated.copy_or_command("migrate", verbosity=0)
    migrated.copy_or_command("createcachetable")
    assert commands == ["migrate", "createcachetable"]
    assert tables(made) == tables(connection.settings_dict["NAME"])


def test_a_changed_module_makes_another(monkeypatch, tmp_path):
    module = tmp_path / "models.py"
    module.write_text("pass")
    monkeypatch.setattr(migrated, "code", lambda: [module])
    before = migrated.state()
    assert migrated.state() == before
    module.write_text("more = 1")
    assert migrated.state() != before


def test_the_code_has_all_migrations_of_the_project():
    paths = set(migrated.code())
    base = Path(migrated.settings.BASE_DIR)
    assert set(base.glob("[!.t]*/migrations/*.py")) <= paths
    assert not any("tests" in path.relative_to(base).parts for path in paths)
