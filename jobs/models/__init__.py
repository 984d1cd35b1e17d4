"""Background work, its steps, and how to submit it."""

from jobs.models.jobs import (
    BATCH,
    BEYOND,
    LEASE,
    MAX_ATTEMPTS,
    RING_AGAIN,
    Job,
    JobQuerySet,
    from_now,
)
from jobs.models.steps import JobCluster, JobStep

__all__ = [
    "BATCH",
    "BEYOND",
    "LEASE",
    "MAX_ATTEMPTS",
    "RING_AGAIN",
    "Job",
    "JobCluster",
    "JobQuerySet",
    "JobStep",
    "from_now",
]
