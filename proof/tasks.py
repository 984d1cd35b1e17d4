"""The scheduled work of proofs."""

from celery import shared_task

from proof.jobs.sample import ProveSample


@shared_task
def prove_when_due() -> None:
    """Submit a sample when the budget allows one; any number of beats may call this."""
    ProveSample.submit_when_due()
