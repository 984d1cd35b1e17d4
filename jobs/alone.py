"""A job that took a worker down is worked on alone, in a process of its own.

What it does to that process is then its own doing, and no other job suffers from it.
`python -m jobs.alone JOB OWNER WORKER MODULE...` is that process.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from uuid import UUID

from jobs import pulse

# Says to the process which queues its worker serves.
QUEUES = "CUPADMIN_SERVED_QUEUES"
# Seconds between two looks at the process.
POLL_PAUSE = 0.5
# Seconds until it must have taken the job over.
START_PATIENCE = 120.0
# Seconds that it has to give its job back when it is asked to end.
GRACE = 6.0
# After a crash there may be many such jobs; to start them all at once takes long.
_slots = threading.BoundedSemaphore(2)


def perform_alone(pk: UUID, owner: str) -> bool:
    """Have a claimed job worked on; False if that ended its process.

    The caller keeps the lease until the process takes the job over.
    """
    with _slots:
        return follow_process(start_process(pk, owner), pk, owner)


def start_process(pk: UUID, owner: str) -> "subprocess.Popen[bytes]":
    from jobs import presence

    worker = str(presence.current_process() or "")
    queues = {QUEUES: ",".join(presence.served_here())}
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "jobs.alone", str(pk), owner, worker, *task_modules()],
        env=os.environ | {"CUPADMIN_PROCESS": "worker", pulse.DESCRIPTOR: ""} | queues,
        cwd=os.getcwd(),
    )


def follow_process(child: "subprocess.Popen[bytes]", pk: UUID, owner: str) -> bool:
    """Wait for the process, and end it if it stands still."""
    from jobs import presence

    late = time.monotonic() + START_PATIENCE
    while True:
        try:
            return child.wait(POLL_PAUSE) == 0
        except subprocess.TimeoutExpired:
            if presence.stopping.is_set():
                child.terminate()
            elif stands_still(pk, owner, late=time.monotonic() > late):
                child.kill()


def new_owner(owner: str) -> str:
    """Who holds the lease once the process has taken the job over."""
    return f"{owner}-alone"


def task_modules() -> list[str]:
    """What the worker was told to import besides the console's own tasks."""
    from celery import current_app

    return list(current_app.conf.include or ())


def stands_still(pk: UUID, owner: str, *, late: bool) -> bool:
    """Whether its lease ran out, or it never took the job over; False if unknown."""
    from django.db import DatabaseError
    from django.db.models.functions import Now

    from jobs.models import Job

    running = Job._base_manager.filter(pk=pk, state=Job.State.RUNNING)
    try:
        if late and running.filter(owner=owner).exists():
            return True
        return running.filter(owner=new_owner(owner), lease_until__lt=Now()).exists()
    except DatabaseError:
        return False


def end_soon(number: int, frame: object) -> None:
    from jobs import presence

    presence.stop_process()
    timer = threading.Timer(GRACE, os._exit, [0])
    # A job that does not look up in time is excused, and taken up elsewhere.
    timer.daemon = True
    timer.start()


def main(pk: str, owner: str, worker: str, names: Sequence[str]) -> None:
    import django

    parent = os.getppid()
    signal.signal(signal.SIGTERM, end_soon)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cupadmin.settings")
    django.setup()
    for name in names:
        import_module(name)
    from jobs import presence
    from jobs.engine import resume_job
    from jobs.models import Job

    presence.adopt_process(UUID(worker) if worker else None)
    if queues := os.environ.get(QUEUES):
        presence.serve_queues(queues.split(","))
    pulse.start_pulse()
    threading.Thread(target=end_with, args=[parent], daemon=True).start()
    if Job.objects.take_over(pk, owner, new_owner(owner)):
        resume_job(pk, new_owner(owner))


def end_with(parent: int) -> None:
    """End soon after the worker that started this: nobody else would end it."""
    while os.getppid() == parent:
        threading.Event().wait(1.0)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
