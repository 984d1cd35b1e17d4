import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from cupadmin import data_lock, versions

HOLDER = """
import sys, time
from pathlib import Path
from cupadmin import data_lock
data_lock.lock_directory(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=settings.BASE_DIR,
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.servers
def test_a_second_console_is_refused_and_told_who_is_there(tmp_path, holder):
    with pytest.raises(
        data_lock.DirectoryInUse, match=f"process {holder.pid}"
    ) as error:
        data_lock.lock_directory(tmp_path)
    assert str(tmp_path) in str(error.value)


@pytest.mark.servers
def test_a_killed_console_leaves_the_directory_free(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    os.close(data_lock.lock_directory(tmp_path))


@pytest.mark.parametrize("text", [b"", b"nonsense", b"-1", b"9" * 30, b"\xff"])
def test_what_stands_in_the_file_does_not_matter(tmp_path, text):
    (tmp_path / "console.lock").write_bytes(text)
    os.close(data_lock.lock_directory(tmp_path))


@pytest.mark.servers
def test_a_directory_is_held_until_the_last_process_that_has_it_ended(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(data_lock, "LOCK_TIMEOUT", 0.3)
    monkeypatch.setattr(data_lock, "is_running", lambda pid: False)
    handle = data_lock.lock_directory(tmp_path)
    orphan = subprocess.Popen(["sleep", "60"], pass_fds=[handle])
    os.close(handle)
    with pytest.raises(data_lock.DirectoryInUse):
        data_lock.lock_directory(tmp_path)
    orphan.kill()
    orphan.wait()
    os.close(data_lock.lock_directory(tmp_path))


@pytest.mark.servers
def test_make_run_refuses_a_directory_that_is_taken(holder, tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "run", "--port", "1"],
        env=os.environ
        | {
            "CUPADMIN_DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "cupadmin.settings",
        },
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "Another console" in done.stderr
    assert "Traceback" not in done.stderr


def record(app, name):
    MigrationRecorder(connection).record_applied(app, name)


def test_a_database_of_this_release_is_taken(db):
    versions.refuse_other_database()


@pytest.mark.parametrize("app", ["jobs", "an_app_of_tomorrow"])
def test_a_database_of_a_newer_release_is_refused(db, app):
    record(app, "0099_from_tomorrow")
    for refuse in (versions.refuse_newer_database, versions.refuse_other_database):
        with pytest.raises(ImproperlyConfigured, match=f"{app}.0099_from_tomorrow"):
            refuse()


def test_a_database_of_an_older_release_is_refused_except_by_make_run(db):
    MigrationRecorder(connection).record_unapplied("jobs", "0003_lease")
    versions.refuse_newer_database()
    with pytest.raises(ImproperlyConfigured, match="jobs.0003_lease"):
        versions.refuse_other_database()


def test_a_database_of_a_development_version_is_refused(db):
    """Clusters were in the app of peers; nothing moves them."""
    record("peers", "0002_find_and_list")
    MigrationRecorder(connection).record_unapplied("clusters", "0001_initial")
    for refuse in (versions.refuse_newer_database, versions.refuse_other_database):
        with pytest.raises(ImproperlyConfigured, match=versions.DEVELOPMENT):
            refuse()
