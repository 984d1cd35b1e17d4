"""Background work, its steps, and how to submit it."""

from jobs.models.clock import from_now
from jobs.models.job_counts import JobCount
from jobs.models.jobs import EXCEEDS_LIMIT, Job
from jobs.models.processes import Process
from jobs.models.steps import JobCluster, JobStep
from jobs.models.submitting import (
    BATCH,
    LEASE,
    MAX_ATTEMPTS,
    MAX_CRASHES,
    RING_AGAIN,
    JobQuerySet,
    ring_all,
)

__all__ = [
    "BATCH",
    "EXCEEDS_LIMIT",
    "LEASE",
    "MAX_ATTEMPTS",
    "MAX_CRASHES",
    "RING_AGAIN",
    "JobCount",
    "Job",
    "JobCluster",
    "JobQuerySet",
    "JobStep",
    "Process",
    "from_now",
    "ring_all",
]
