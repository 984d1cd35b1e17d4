"""Rings the workers. A ring that is lost costs time, never a job.

A broker that is down holds its caller for seconds, so a thread rings: whoever submits a
job, a page above all, never waits for the broker.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterable

from celery import current_app

from jobs.sites import served_by

logger = logging.getLogger(__name__)

_waiting: deque[tuple[str, str]] = deque()
_lock = threading.Lock()
_ringing: threading.Thread | None = None


def send_messages(jobs: Iterable[tuple[str, str]]) -> None:
    """Have one message sent for each (job id, queue)."""
    global _ringing
    with _lock:
        _waiting.extend(jobs)
        # A thread that was alive before a fork is not alive after it.
        if _waiting and not (_ringing and _ringing.is_alive()):
            # Not a daemon: a command that submits a job and exits still rings.
            _ringing = threading.Thread(target=_ring_all, name="doorbell")
            _ringing.start()


def wait_until_sent() -> None:
    """Wait until all messages are sent or given up."""
    if ringing := _ringing:
        ringing.join()


def _ring_all() -> None:
    global _ringing
    while True:
        with _lock:
            if not _waiting:
                _ringing = None
                return
            pk, queue = _waiting.popleft()
        try:
            current_app.send_task(
                "jobs.tasks.work_on_job",
                args=[pk],
                queue=served_by(queue),
                retry=False,
                expires=120,
            )
        except Exception:
            # Whatever the broker's client raises: beat rings again, for all of them.
            logger.warning("the broker did not take job %s", pk, exc_info=True)
            with _lock:
                _waiting.clear()
