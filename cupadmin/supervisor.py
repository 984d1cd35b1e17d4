"""Runs the console's processes as one: starts, restarts and ends them together."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cupadmin.log_files import LogLimits, rotate_log
from jobs import pulse

GRACE = 10.0
RESTART_AFTER = 1.0
PR_SET_PDEATHSIG = 1
GUARDIAN = Path(__file__).with_name("guardian.py")
# A process that gave no sign of life for so many seconds is ended and replaced; it
# has its own, shorter limit, by which it says where it stands.
SILENCE = pulse.STALL + 10
# It may take its time to start.
FIRST_SIGN = 120.0
# Seconds from the request to end to the kill of a process that gives no sign of life.
LAST_GRACE = 3.0


@dataclass
class ChildProcess:
    """One child: what to run, with which additions to the environment."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    running: subprocess.Popen[bytes] | None = None
    restart_at: float = 0.0
    # Watched by the signs of life that it writes into a pipe.
    watched: bool = False
    pipe: int = -1
    silent: float = 0.0
    seen: bool = False

    def start(self, logs: Path) -> "subprocess.Popen[bytes]":
        # A session of its own: Ctrl-C reaches only the supervisor, which ends the
        # children in order.
        ends = self.open_pipe() if self.watched else ()
        with self.log_below(logs).open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own commands
                self.command,
                env=os.environ | self.environment | pulse.pulse_environment(*ends),
                pass_fds=ends,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),
            )
        for end in ends:
            os.close(end)
        self.running = child
        return child

    def log_below(self, logs: Path) -> Path:
        return logs / f"{self.name}.log"

    def open_pipe(self) -> tuple[int]:
        """Make a pipe for signs of life; return the end for the child."""
        if self.pipe >= 0:
            os.close(self.pipe)
        self.silent, self.seen = 0.0, False
        self.pipe, end = os.pipe()
        os.set_blocking(self.pipe, False)
        os.set_blocking(end, False)
        return (end,)

    def is_stalled(self, seconds: float) -> bool:
        """Whether it has been silent for too long, these seconds included."""
        if not self.watched:
            return False
        heard = False
        with contextlib.suppress(BlockingIOError):
            heard = bool(os.read(self.pipe, 65_536))
        self.seen = self.seen or heard
        self.silent = 0.0 if heard else self.silent + seconds
        return self.silent > (SILENCE if self.seen else FIRST_SIGN)

    def end_alone(self) -> None:
        """End the process itself, by force if it must be; its group is left alone."""
        if self.running is None:
            return
        self.running.terminate()
        # One that is stopped takes no other signal.
        self.running.send_signal(signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.running.wait(LAST_GRACE)
            return
        self.running.kill()
        self.running.wait()

    def signal_group(self, number: int) -> None:
        if self.running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.running.pid, number)


def die_with_parent(parent: int) -> None:
    """Ask Linux to end this child should the supervisor be killed outright.

    The guardian does the rest, and all of it elsewhere.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # killed before it could be asked
        os._exit(1)


class Guard:
    """The supervisor's side of the guardian, a process that outlives it."""

    def __init__(self, keep: Sequence[int]) -> None:
        read, self.end = os.pipe()
        self.process = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", str(GUARDIAN)],
            stdin=read,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=keep,
        )
        os.close(read)

    def watch(self, pid: int) -> None:
        self._log_line(f"+{pid}\n")

    def leave(self, pid: int) -> None:
        self._log_line(f"-{pid}\n")

    def _log_line(self, line: str) -> None:
        # Without a guardian the console runs on; Linux still ends its processes.
        with contextlib.suppress(BrokenPipeError):
            os.write(self.end, line.encode())

    def dismiss(self) -> None:
        """Let it end whatever is left, and wait for that."""
        os.close(self.end)
        self.process.wait()


class Supervisor:
    """Keeps a set of processes running until it is told to stop.

    Args:
        logs: the folder for what they print, one file each.
        keep: descriptors that stay open until the last process has ended.
        limits: how long these files may become, and how many older ones stay.
    """

    def __init__(
        self,
        logs: Path,
        keep: Sequence[int] = (),
        limits: LogLimits = LogLimits(),  # noqa: B008 - frozen
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.logs = logs
        self.limits = limits
        self.processes: list[ChildProcess] = []
        self.stopping = False
        self.revived_at = time.monotonic()
        self.keep = keep
        self.guard: Guard | None = None

    def start(
        self,
        name: str,
        *command: str,
        environment: dict[str, str] | None = None,
        watched: bool = False,
    ) -> ChildProcess:
        process = ChildProcess(name, list(command), environment or {}, watched=watched)
        self.processes.append(process)
        self.launch(process)
        return process

    def launch(self, process: ChildProcess) -> "subprocess.Popen[bytes]":
        # Not before: what was never started needs no guard.
        self.guard = self.guard or Guard(self.keep)
        child = process.start(self.logs)
        self.guard.watch(child.pid)
        return child

    def run(self, name: str, *command: str, environment: dict[str, str]) -> int:
        """Run a command to its end and return its code."""
        process = ChildProcess(name, list(command), environment)
        return self.launch(process).wait()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Turn SIGINT and SIGTERM into an end of the block; then end everything."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._interrupt)
        try:
            yield
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()

    def _interrupt(self, number: int, frame: object) -> None:
        if not self.stopping:
            self.stopping = True
            raise KeyboardInterrupt

    def watch(self) -> None:
        """Restart what dies; returns only by an interrupt."""
        while True:
            self.revive()
            time.sleep(0.5)

    def revive(self) -> None:
        # What we slept ourselves, as on a machine that was suspended, is not theirs.
        passed = min(time.monotonic() - self.revived_at, 2.0)
        self.revived_at = time.monotonic()
        for process in self.processes:
            # The console runs on with a log that is too long.
            with contextlib.suppress(OSError):
                rotate_log(process.log_below(self.logs), self.limits)
            child = process.running
            if child is None:
                continue
            if child.poll() is not None:
                self.restart(process, child)
            elif process.is_stalled(passed):
                print(
                    f"{process.name} gave no sign of life for {process.silent:.0f} "
                    f"seconds, see {self.logs}/{process.name}.log; it is replaced."
                )
                process.end_alone()

    def restart(self, process: ChildProcess, child: "subprocess.Popen[bytes]") -> None:
        """Start a process again that ended, after a pause."""
        if not process.restart_at:
            print(
                f"{process.name} ended ({child.returncode}), see {self.logs}/"
                f"{process.name}.log; starting it again."
            )
            # What it left of its group must not work beside the new one.
            process.signal_group(signal.SIGTERM)
            process.restart_at = time.monotonic() + RESTART_AFTER
        elif time.monotonic() >= process.restart_at:
            process.restart_at = 0.0
            if self.guard:
                self.guard.leave(child.pid)
            self.launch(process)

    def wait_for(self, ready: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait for a condition; SystemExit with a sentence when time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise SystemExit(
                    f"{what} did not come up within {seconds:.0f} seconds."
                )
            self.revive()
            time.sleep(0.1)

    def stop(self) -> None:
        self.stopping = True
        for process in reversed(self.processes):
            process.signal_group(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for process in self.processes:
            if process.running is None:
                continue
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.running.wait(max(0.0, deadline - time.monotonic()))
            # Whatever is left of the group, its leader included.
            process.signal_group(signal.SIGKILL)
            process.running.wait()
        if self.guard:
            self.guard.dismiss()
            self.guard = None
