import os
import signal
import subprocess
import sys
import time

import pytest

from cupadmin import supervisor
from cupadmin.log_files import LogLimits
from cupadmin.supervisor import ChildProcess, Supervisor
from tests.waiting import PATIENCE, eventually

pytestmark = pytest.mark.servers

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
# A child that starts one of its own, as gunicorn and Celery do.
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time;"
    "c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(c.pid, flush=True); time.sleep(60)",
]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().split()[2] != "Z"


def test_stop_leaves_nothing_of_a_family_running(tmp_path):
    supervisor = Supervisor(tmp_path)
    out = tmp_path / "pid"
    shell = f'exec {sys.executable} -c "{PARENT[2]}" > {out}'
    supervisor.start("family", "/bin/sh", "-c", shell)
    supervisor.wait_for(lambda: out.exists() and bool(out.read_text()), "It", PATIENCE)
    supervisor.stop()
    pid = int(out.read_text())
    assert eventually(lambda: not is_running(pid))


def test_a_process_that_dies_is_started_again(monkeypatch, tmp_path):
    monkeypatch.setattr("cupadmin.supervisor.RESTART_AFTER", 0.0)
    supervisor = Supervisor(tmp_path)
    supervisor.start("sleeper", *SLEEPER)
    process = supervisor.processes[0]
    first = process.running
    first.send_signal(signal.SIGKILL)
    supervisor.wait_for(lambda: process.running is not first, "It", PATIENCE)
    supervisor.stop()
    assert process.running.pid != first.pid


def test_what_never_comes_up_ends_with_a_sentence(tmp_path):
    with pytest.raises(SystemExit, match="^The lab "):
        Supervisor(tmp_path).wait_for(lambda: False, "The lab", 0.2)


def test_children_end_when_the_supervisor_is_killed(tmp_path):
    out = tmp_path / "pid"
    code = (
        "from cupadmin.supervisor import Supervisor; import sys, time\n"
        f"import pathlib; s = Supervisor(pathlib.Path({str(tmp_path)!r}))\n"
        f"s.start('sleeper', *{SLEEPER!r})\n"
        f"open({str(out)!r}, 'w').write(str(s.processes[0].running.pid))\n"
        "time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    assert eventually(lambda: out.exists() and out.read_text())
    pid = int(out.read_text())
    parent.kill()
    parent.wait()
    assert eventually(lambda: not is_running(pid))


def test_signals_to_a_process_that_never_ran_are_ignored():
    ChildProcess("none", []).signal_group(signal.SIGTERM)


GRANDCHILD = (
    "import signal, subprocess, sys, time;"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "child = subprocess.Popen([sys.executable, '-c',"
    " 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " time.sleep(60)']);"
    "open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(60)"
)


def test_a_killed_supervisor_leaves_no_stubborn_family_behind(tmp_path):
    out = tmp_path / "pid"
    code = (
        "from cupadmin.supervisor import Supervisor; import sys, time, pathlib\n"
        f"s = Supervisor(pathlib.Path({str(tmp_path)!r}))\n"
        f"s.start('family', sys.executable, '-c', {GRANDCHILD!r}, {str(out)!r})\n"
        "time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    assert eventually(lambda: out.exists() and out.read_text())
    pid = int(out.read_text())
    parent.kill()
    parent.wait()
    assert eventually(lambda: not is_running(pid))


def test_a_child_whose_supervisor_is_gone_already_does_not_begin(tmp_path):
    child = subprocess.Popen(
        ["touch", str(tmp_path / "begun")],
        preexec_fn=lambda: supervisor.die_with_parent(1),
    )
    assert child.wait() == 1
    assert not (tmp_path / "begun").exists()


PULSE = "from jobs import pulse; import signal, os, time; pulse.start_pulse();"


def watched(tmp_path, monkeypatch, what):
    """A supervised process that gives signs of life and then does this."""
    monkeypatch.setattr("cupadmin.supervisor.RESTART_AFTER", 0.0)
    monkeypatch.setattr("cupadmin.supervisor.SILENCE", 3.0)
    monkeypatch.setattr("cupadmin.supervisor.LAST_GRACE", 0.5)
    found = Supervisor(tmp_path)
    code = PULSE + what
    return found, found.start("quiet", sys.executable, "-c", code, watched=True)


@pytest.mark.parametrize(
    "what",
    [
        "os.kill(os.getpid(), signal.SIGSTOP)",
        "import re; re.match('(a+)+$', 'a' * 64 + 'b')",
    ],
)
def test_a_process_without_signs_of_life_is_replaced(tmp_path, monkeypatch, what):
    found, process = watched(tmp_path, monkeypatch, what)
    first = process.running
    found.wait_for(lambda: process.running is not first, "It", PATIENCE)
    found.stop()
    assert first.returncode in (-signal.SIGKILL, -signal.SIGTERM)


def test_a_process_that_gives_signs_of_life_is_left_alone(tmp_path, monkeypatch):
    found, process = watched(tmp_path, monkeypatch, "time.sleep(60)")
    first = process.running
    found.wait_for(lambda: process.seen, "A sign of life", PATIENCE)
    for _ in range(3):
        # As long a silence as there may be, which the next sign ends.
        assert not process.is_stalled(supervisor.SILENCE - process.silent)
        assert eventually(lambda: not process.is_stalled(0.0) and not process.silent)
    assert process.running is first
    found.stop()


def test_what_the_supervisor_slept_itself_is_not_held_against_a_process(
    tmp_path, monkeypatch
):
    found, process = watched(tmp_path, monkeypatch, "time.sleep(60)")
    found.wait_for(lambda: process.seen, "A sign of life", PATIENCE)
    process.silent = 0.0
    found.revived_at = time.monotonic() - 3600
    found.revive()
    assert process.running.poll() is None
    found.stop()


def test_a_process_that_holds_the_interpreter_says_where_and_ends(tmp_path):
    code = PULSE + "import re\ndef trap(): re.match('(a+)+$', 'a' * 64 + 'b')\ntrap()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"CUPADMIN_STALL_SECONDS": "5"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert "in trap" in done.stderr


CHATTY = "import itertools\nfor n in itertools.count(): print(n, flush=True)"


def test_the_logs_of_a_process_that_never_stops_talking_are_bounded(tmp_path):
    found = Supervisor(tmp_path, limits=LogLimits(bytes=100_000, kept=2))
    process = found.start("chatty", sys.executable, "-c", CHATTY)
    child = process.running
    found.wait_for((tmp_path / "chatty.log.2").exists, "It", PATIENCE)
    # It writes on, into the file that was emptied, from its beginning.
    log = tmp_path / "chatty.log"
    found.wait_for(lambda: log.stat().st_size > 0, "A line", PATIENCE)
    assert b"\0" not in log.read_bytes()
    assert process.running is child
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"chatty.log", "chatty.log.1", "chatty.log.2"}
    found.stop()


def test_a_log_that_cannot_be_moved_ends_nothing(tmp_path):
    found = Supervisor(tmp_path, limits=LogLimits(bytes=10, kept=1))
    process = found.start("chatty", sys.executable, "-c", CHATTY)
    log = tmp_path / "chatty.log"
    assert eventually(lambda: log.stat().st_size > 10)
    (tmp_path / "chatty.log.1").mkdir()
    found.revive()
    assert process.running.poll() is None
    found.stop()
