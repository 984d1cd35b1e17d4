"""The background work of checks: peers, the sweep, the troubleshooter."""

import time
from datetime import timedelta
from functools import partial

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from diagnostics.checks import CHUNK, check, check_with_back
from diagnostics.sweep import submit_sweep, sweep, sweep_due
from diagnostics.troubleshoot import run_due, submit_scheduled_run, troubleshoot
from jobs.kinds import kind
from jobs.run import Run, Step
from peers.models import Outcome, Peer

PAUSE = 2.0
# A check that repeats gives its worker back between rounds after this time.
PATIENCE = 20.0
LATER = 10.0


@kind("check-peers", "Check")
def check_peers(run: Run) -> None:
    ids = run.arguments["peers"]
    for n, first in enumerate(range(0, len(ids), CHUNK)):
        chunk = ids[first : first + CHUNK]
        run.do(f"check-{n}", partial(check_chunk, run, chunk))


def check_chunk(run: Run, ids: list[str], step: Step) -> str:
    """Check some peers, again and again while the job's time for it lasts."""
    while True:
        peers = list(Peer.objects.filter(pk__in=ids, removing=False))
        outcomes = list(check_all(peers).values())
        left = seconds_left(run)
        if all(outcome == Outcome.PASSED for outcome in outcomes) or left <= 0:
            return summary(outcomes)
        if seconds_so_far(run) > PATIENCE:
            run.park(LATER)
        run.check()
        time.sleep(min(PAUSE, left))


def check_all(peers: list[Peer]) -> dict[str, str]:
    if len(peers) == 1:
        return check_with_back(peers[0])
    return check(peers) if peers else {}


def seconds_so_far(run: Run) -> float:
    started = run.job.started_at or timezone.now()
    return (timezone.now() - started).total_seconds()


def seconds_left(run: Run) -> float:
    wanted: float = run.arguments.get("until_verified") or 0
    return wanted - seconds_so_far(run)


def summary(outcomes: list[str]) -> str:
    counts = [
        f"{outcomes.count(outcome.value)} {outcome.value}"
        for outcome in Outcome
        if outcome.value in outcomes
    ]
    return ", ".join(counts) or "Nothing to check."


@kind("sweep", "Sweep")
def sweep_peers(run: Run) -> None:
    sweep(run)


@kind("troubleshoot", "System Troubleshooter")
def run_troubleshooter(run: Run) -> None:
    troubleshoot(run)


@shared_task
def sweep_when_due() -> None:
    """Submit what is due by the database; any number of beats may ask."""
    if sweep_due(timedelta(seconds=settings.SWEEP_INTERVAL)):
        submit_sweep()
    if run_due(timedelta(seconds=settings.TROUBLESHOOTER_INTERVAL)):
        submit_scheduled_run()
