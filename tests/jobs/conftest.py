"""A kind of job that does what a test tells it to."""

import pytest

from jobs import kinds
from jobs.models import Job


@pytest.fixture
def play(transactional_db, monkeypatch):
    """Submit a job whose work is the given function."""

    def submit(work, steps=(("one", "One"), ("two", "Two")), **options):
        kind = kinds.Kind("play", "Play", work, "operate")
        monkeypatch.setitem(kinds._kinds, "play", kind)
        return Job.objects.submit("play", list(steps), **options)

    return submit
