"""This process as the others see it: its row, renewed for as long as it lives."""

import atexit
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID, uuid4

from django.conf import settings
from django.db import Error, connection
from django.db.models.functions import Now

from jobs.models import Job, Process
from jobs.sites import served_by, site_of

logger = logging.getLogger(__name__)

EVERY = 5.0
# After a failure.
SOON = 1.0

_pk: UUID | None = None
# The queues that this worker serves; None for what is no worker: it works for all.
_queues: frozenset[str] | None = None
# The owners, one for each attempt, of the jobs that this process has in hand.
_owners: set[str] = set()
# Set when this process was asked to end: it takes no job, and gives back those it has.
stopping = threading.Event()


def current_process() -> UUID | None:
    """The id of this process; None for a command or a test."""
    return _pk


def start_presence(kind: Process.Kind, queues: Sequence[str] = ()) -> threading.Thread:
    """Show from now on that this process is there."""
    global _pk
    _pk = uuid4()
    if kind == Process.Kind.WORKER:
        serve_queues(queues)
    atexit.register(leave_processes)
    thread = threading.Thread(
        target=keep_showing, args=(kind, queues), name="presence", daemon=True
    )
    thread.start()
    return thread


def serve_queues(queues: Iterable[str]) -> None:
    """Work for these queues from now on, so for the sites of these only."""
    global _queues
    _queues = frozenset(queues)


def served_here() -> list[str]:
    """The queues that this worker serves; empty for what is no worker."""
    return sorted(_queues or ())


def serves(queue: str) -> bool:
    """Whether jobs of this queue are this process's: it reaches their clusters."""
    return _queues is None or served_by(queue) in _queues


def adopt_process(pk: UUID | None) -> None:
    """Work for another process, which shows that both are there."""
    global _pk
    _pk = pk


@contextlib.contextmanager
def in_hand(owner: str) -> Iterator[None]:
    """Have a job in hand for the block."""
    _owners.add(owner)
    try:
        yield
    finally:
        _owners.discard(owner)


def keep_showing(kind: Process.Kind, queues: Sequence[str]) -> None:
    while _pk is not None:
        pause = EVERY
        try:
            show_process(_pk, kind, queues)
        except Error:
            logger.warning("this process could not be shown", exc_info=True)
            connection.close()
            pause = SOON
        threading.Event().wait(pause)


def show_process(pk: UUID, kind: Process.Kind, queues: Sequence[str]) -> None:
    if Process.objects.filter(pk=pk).update(last_seen=Now()):
        return
    Process.objects.create(
        pk=pk,
        host=socket.gethostname()[:255],
        pid=os.getpid(),
        kind=kind,
        version=settings.VERSION,
        queues=sorted(queues),
        sites=sorted(filter(None, map(site_of, queues))),
    )


def stop_process() -> None:
    """Give back the jobs at their next step; that this process ends is not their doing.

    Called where a signal is handled, so the database is asked by a thread.
    """
    if not stopping.is_set():
        stopping.set()
        threading.Thread(target=excuse_jobs, name="excuse").start()


def excuse_jobs() -> None:
    try:
        mine = Job._base_manager.filter(owner__in=list(_owners))
        mine.filter(state=Job.State.RUNNING).update(excused=True)
    except Error:
        logger.warning("the jobs in hand could not be excused", exc_info=True)
    finally:
        connection.close()


def leave_processes() -> None:
    """Take this process from the list, at its end."""
    global _pk
    pk, _pk = _pk, None
    if pk is None:
        return
    try:
        Process.objects.filter(pk=pk).delete()
    except Error:
        logger.warning("this process could not be taken from the list", exc_info=True)
    finally:
        connection.close()
