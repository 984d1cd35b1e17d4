"""Leases: one worker at a time for a thing, by the database's clock."""

import contextlib
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from jobs.locks import Lease
from jobs.models import from_now

POLL = 0.1


class LeaseBusy(Exception):
    """Somebody else kept the thing for as long as we could wait."""


@contextlib.contextmanager
def lease(name: str, *, seconds: float, patience: float) -> Iterator[None]:
    """Hold a lease for the block.

    Args:
        seconds: longer than the block can take; a holder that dies frees it then.
        patience: how long to wait for the present holder.

    Raises:
        LeaseTaken: it was not to be had in that time.
    """
    owner = uuid.uuid4().hex
    deadline = time.monotonic() + patience
    while not _take_lease(name, owner, timedelta(seconds=seconds)):
        if time.monotonic() > deadline:
            raise LeaseBusy(name)
        time.sleep(POLL)
    try:
        yield
    finally:
        Lease.objects.filter(name=name, owner=owner).delete()


def _take_lease(name: str, owner: str, span: timedelta) -> bool:
    mine = {"owner": owner, "until": from_now(span)}
    if Lease.objects.filter(name=name, until__lt=Now()).update(**mine):
        return True
    try:
        with transaction.atomic():
            Lease.objects.create(name=name, **mine)
    except IntegrityError:
        return False
    return True
