"""Signs of life of a process: without them it ends, and its supervisor replaces it.

A thread gives them. A call in C that does not let go of the interpreter holds that
thread too, so what watches must not need the interpreter: faulthandler's timer, which
prints where every thread stands and ends the process, and the supervisor.
"""

import contextlib
import faulthandler
import os
import threading

EVERY = 1.0
# Seconds without a sign of life after which the process ends itself.
STALL = float(os.environ.get("CUPADMIN_STALL_SECONDS", "30"))
DESCRIPTOR = "CUPADMIN_PULSE_FD"


def pulse_environment(end: int | None = None) -> dict[str, str]:
    """What a child must know to give signs of life into a pipe."""
    return {} if end is None else {DESCRIPTOR: str(end)}


def start_pulse() -> threading.Thread:
    """Give signs of life from now on, until the process ends."""
    send_pulse()
    thread = threading.Thread(target=keep_beating, name="pulse", daemon=True)
    thread.start()
    return thread


def keep_beating() -> None:
    while True:
        threading.Event().wait(EVERY)
        send_pulse()


def send_pulse() -> None:
    """Postpone the end of this process, and let the supervisor know."""
    faulthandler.dump_traceback_later(STALL, exit=True, file=2)
    if end := os.environ.get(DESCRIPTOR):
        # Full: nobody has read for long. Broken: nobody will.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(int(end), b".")
