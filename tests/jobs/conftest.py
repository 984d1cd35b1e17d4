"""A kind of job that does what a test tells it to."""

import pytest

from accounts.roles import Role
from jobs import kind as kinds
from jobs.models import Job


@pytest.fixture
def play(transactional_db, monkeypatch):
    """Submit a job whose work is the given function."""

    def submit(
        work, steps=(("one", "One"), ("two", "Two")), role=Role.OPERATOR, **options
    ):
        class Play(kinds.JobKind):
            label = "Play"

            def work(self):
                work(self.run)

        Play.name, Play.role = "play", role
        monkeypatch.setitem(kinds._kinds, "play", Play)
        return Job.objects.submit(Play, list(steps), **options)

    return submit
