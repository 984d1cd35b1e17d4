"""The files of `make run`: bounded, and nothing in them lost before its time."""

import errno
import os

import pytest

from cupadmin import log_files
from cupadmin.log_files import LogLimits, rotate_log

LIMITS = LogLimits(bytes=10, kept=2)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "web.log"


def contents(log):
    return {path.name: path.read_text() for path in log.parent.iterdir()}


def test_a_log_within_the_limit_is_left_alone(log):
    log.write_text("ten bytes.")
    rotate_log(log, LIMITS)
    assert contents(log) == {"web.log": "ten bytes."}


def test_a_log_that_is_not_there_is_no_error(log):
    rotate_log(log, LIMITS)
    assert contents(log) == {}


def test_a_long_log_moves_on_and_the_oldest_goes(log):
    for number in range(4):
        log.write_text(f"log number {number}")
        rotate_log(log, LIMITS)
    assert contents(log) == {
        "web.log": "",
        "web.log.1": "log number 3",
        "web.log.2": "log number 2",
    }


def test_a_process_writes_on_into_the_emptied_file(log):
    with log.open("ab", buffering=0) as writer:
        writer.write(b"much too long")
        rotate_log(log, LIMITS)
        writer.write(b"next")
    assert contents(log) == {"web.log": "next", "web.log.1": "much too long"}


def test_none_is_kept_where_none_is_wanted(log):
    log.write_text("much too long")
    rotate_log(log, LogLimits(bytes=10, kept=0))
    assert contents(log) == {"web.log": ""}


def test_files_of_a_former_higher_limit_go_and_others_stay(log):
    log.write_text("much too long")
    for name in ("web.log.2", "web.log.9", "web.log.old", "webserver.log.9"):
        log.with_name(name).write_text(name)
    rotate_log(log, LogLimits(bytes=10, kept=1))
    assert set(contents(log)) == {
        "web.log",
        "web.log.1",
        "web.log.old",
        "webserver.log.9",
    }


def test_the_limit_holds_on_a_full_disk(log, monkeypatch):
    def fill_disk(source, target, length):
        target.write(source.read(3))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    log.write_text("much too long")
    monkeypatch.setattr(log_files.shutil, "copyfileobj", fill_disk)
    rotate_log(log, LIMITS)
    assert contents(log) == {"web.log": ""}


def test_the_defaults_of_the_settings_are_bounded(settings):
    assert settings.LOG_MEGABYTES == 20
    assert settings.LOG_FILES == 4
