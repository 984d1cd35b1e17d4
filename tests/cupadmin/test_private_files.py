import os
import stat
import subprocess
import sys

import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured

from cupadmin.private_files import private_directory

OTHERS = 0o077


@pytest.fixture
def code(tmp_path):
    return tmp_path / "code"


@pytest.fixture(autouse=True)
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(folder):
    found = [folder, *folder.rglob("*")]
    return [path.name for path in found if path.lstat().st_mode & OTHERS]


def manage(folder, *command, **environment):
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        env=os.environ
        | {"CUPADMIN_DATA_DIR": str(folder)}
        | {"DJANGO_SETTINGS_MODULE": "cupadmin.settings"}
        | environment,
        cwd=configured.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_data_directory_is_made_private_and_so_is_what_follows(tmp_path, code):
    folder = private_directory(tmp_path / "a" / "var", code)
    (folder / "broker").mkdir()
    (folder / "broker" / "message").write_text("text")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert open_to_others(folder) == []


def test_open_data_directory_is_repaired_at_start(tmp_path, code):
    folder = tmp_path / "var"
    (folder / "log").mkdir(parents=True)
    names = ["cupadmin.sqlite3", "cupadmin.sqlite3-wal", "log/web.log", "run.sh"]
    for name in names:
        (folder / name).write_text("text")
        (folder / name).chmod(0o755)
    private_directory(folder, code)
    assert open_to_others(folder) == []
    assert (folder / "run.sh").stat().st_mode & 0o700 == 0o700


def test_links_out_of_the_data_directory_are_not_followed(tmp_path, code):
    other = tmp_path / "other"
    other.mkdir(mode=0o755)
    (other / "file").touch(mode=0o644)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "link").symlink_to(other)
    (tmp_path / "var" / "dangling").symlink_to(tmp_path / "nothing")
    private_directory(tmp_path / "var", code)
    assert stat.S_IMODE(other.stat().st_mode) == 0o755
    assert stat.S_IMODE((other / "file").stat().st_mode) == 0o644


@pytest.mark.parametrize("name", ["code", ".", "shared", "file"])
def test_directory_that_is_not_the_consoles_own_is_refused(tmp_path, code, name):
    code.mkdir(mode=0o755)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match="CUPADMIN_DATA_DIR names"):
        private_directory(tmp_path / name, code)
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o1777
    assert stat.S_IMODE(code.stat().st_mode) == 0o755


@pytest.mark.servers
def test_database_and_static_files_are_closed_to_others(tmp_path):
    script = "from cupadmin.management.commands.run import prepare_data; prepare_data()"
    done = manage(tmp_path / "var", "shell", "--verbosity", "0", "--command", script)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "var").iterdir()}
    assert {"cupadmin.sqlite3", "secret_key", "field_keys.json", "static"} <= names
    assert open_to_others(tmp_path / "var") == []


@pytest.mark.servers
def test_database_elsewhere_is_closed_to_others(tmp_path):
    path = tmp_path / "console.sqlite3"
    path.touch()
    path.chmod(0o644)
    url = f"sqlite:///{path}"
    done = manage(tmp_path / "var", "check", CUPADMIN_DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
