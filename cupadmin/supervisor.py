"""Runs the console's processes as one: starts, restarts and ends them together."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

GRACE = 10.0
RESTART_AFTER = 1.0
PR_SET_PDEATHSIG = 1


@dataclass
class Process:
    """One child: what to run, with which additions to the environment."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    running: subprocess.Popen[bytes] | None = None
    restart_at: float = 0.0

    def start(self, logs: Path) -> None:
        # A session of its own: Ctrl-C reaches only the supervisor, which ends the
        # children in order.
        with (logs / f"{self.name}.log").open("ab") as log:
            self.running = subprocess.Popen(  # noqa: S603 - our own commands
                self.command,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent if sys.platform == "linux" else None,
            )

    def signal_group(self, number: int) -> None:
        if self.running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.running.pid, number)


def die_with_parent() -> None:
    """Ask Linux to end this child should the supervisor be killed outright."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Keeps a set of processes running until it is told to stop.

    Args:
        logs: the folder for what they print, one file each.
    """

    def __init__(self, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.logs = logs
        self.processes: list[Process] = []
        self.stopping = False

    def start(
        self, name: str, *command: str, environment: dict[str, str] | None = None
    ) -> None:
        process = Process(name, list(command), environment or {})
        self.processes.append(process)
        process.start(self.logs)

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
        for process in self.processes:
            child = process.running
            if child is None or child.poll() is None:
                continue
            if not process.restart_at:
                print(
                    f"{process.name} ended ({child.returncode}), see {self.logs}/"
                    f"{process.name}.log; starting it again."
                )
                process.restart_at = time.monotonic() + RESTART_AFTER
            elif time.monotonic() >= process.restart_at:
                process.restart_at = 0.0
                process.start(self.logs)

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
