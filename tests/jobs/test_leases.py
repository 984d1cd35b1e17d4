import threading
import time

import pytest
from django.db import connection
from django.utils import timezone

from jobs.leases import LeaseBusy, lease
from jobs.locks import Lease

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lease_is_free_again_after_its_block():
    for _ in range(2):
        with lease("axl-write:x", seconds=60, patience=0):
            assert Lease.objects.count() == 1
    assert not Lease.objects.exists()


def test_a_second_holder_is_refused_when_its_patience_ends():
    with lease("axl-write:x", seconds=60, patience=0):
        again = lease("axl-write:x", seconds=60, patience=0.2)
        with pytest.raises(LeaseBusy), again:
            pass
        with lease("axl-write:y", seconds=60, patience=0):
            pass


def test_a_lease_of_a_dead_holder_runs_out():
    Lease.objects.create(name="axl-write:x", owner="gone", until=timezone.now())
    with lease("axl-write:x", seconds=60, patience=1):
        assert Lease.objects.get().owner != "gone"


def test_two_workers_never_hold_it_together():
    inside, most = 0, 0

    def work():
        nonlocal inside, most
        try:
            with lease("axl-write:x", seconds=60, patience=20):
                inside += 1
                most = max(most, inside)
                time.sleep(0.05)
                inside -= 1
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert most == 1
