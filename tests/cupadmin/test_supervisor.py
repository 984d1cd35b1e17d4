import os
import signal
import subprocess
import sys
import time

import pytest

from cupadmin.supervisor import Process, Supervisor

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
    supervisor.wait_for(lambda: out.exists() and bool(out.read_text()), "It", 10)
    supervisor.stop()
    time.sleep(0.1)
    assert not is_running(int(out.read_text()))


def test_a_process_that_dies_is_started_again(monkeypatch, tmp_path):
    monkeypatch.setattr("cupadmin.supervisor.RESTART_AFTER", 0.0)
    supervisor = Supervisor(tmp_path)
    supervisor.start("sleeper", *SLEEPER)
    process = supervisor.processes[0]
    first = process.running
    first.send_signal(signal.SIGKILL)
    supervisor.wait_for(lambda: process.running is not first, "It", 10)
    supervisor.stop()
    assert process.running.pid != first.pid


def test_what_never_comes_up_ends_with_a_sentence(tmp_path):
    with pytest.raises(SystemExit, match="The lab did not come up"):
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
    deadline = time.monotonic() + 15
    while not (out.exists() and out.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = int(out.read_text())
    parent.kill()
    parent.wait()
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)


def test_signals_to_a_process_that_never_ran_are_ignored():
    Process("none", []).signal_group(signal.SIGTERM)
