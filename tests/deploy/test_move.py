"""From one database to another, by the commands of docs/operations.md."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
GUIDE = (ROOT / "docs" / "operations.md").read_text()
DUMP = re.search(r"manage\.py (dumpdata .*) --output \S+$", GUIDE, re.MULTILINE)
LOAD = re.search(r"^    cupadmin (loaddata .*) < \S+$", GUIDE, re.MULTILINE)


@pytest.fixture
def manage():
    def call(folder, *command, text=None, **more):
        own = {k: v for k, v in os.environ.items() if not k.startswith("CUPADMIN_")}
        own.pop("DJANGO_SETTINGS_MODULE", None)
        ended = subprocess.run(
            [sys.executable, "manage.py", *command],
            env=own | {"CUPADMIN_DATA_DIR": str(folder)} | more,
            cwd=ROOT,
            input=text,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return call


def counts(folder):
    database = sqlite3.connect(folder / "cupadmin.sqlite3")
    names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {
        name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
        for (name,) in names.fetchall()
        if name != "sqlite_sequence"
    }


def test_all_rows_and_the_audit_trail_move(manage, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    manage(old, "migrate", "--verbosity", "0")
    password = {"CUPADMIN_PASSWORD": "correct horse battery"}
    for name in ("ada", "nora"):
        manage(old, "create_user", name, "--role", "administrator", **password)
    manage(old, "create_token", "ada", "--name", "script")
    rows = manage(old, *DUMP[1].split())
    new.mkdir()
    for key in ("secret_key", "field_keys.json"):
        (new / key).write_text((old / key).read_text())
    manage(new, "migrate", "--verbosity", "0")
    manage(new, *LOAD[1].split(), text=rows)
    head = manage(old, "verify_audit")
    assert manage(new, "verify_audit") == head
    assert counts(new) == counts(old)
    manage(new, "create_user", "olaf", **password)
    assert manage(new, "verify_audit") != head
