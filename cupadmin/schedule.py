"""What beat has done, and how often, in seconds."""

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {
    "ring-due-jobs": {"task": "jobs.tasks.ring_due", "schedule": 5.0},
    "clean-accounts": {"task": "accounts.tasks.clean_accounts", "schedule": 3600.0},
    "clean-peers": {"task": "peers.tasks.delete_old_uploads", "schedule": 600.0},
    "look-for-news": {"task": "notifications.tasks.detect_changes", "schedule": 30.0},
    "renew-problems": {"task": "overview.tasks.renew_problems", "schedule": 10.0},
    "prune-jobs": {"task": "jobs.tasks.prune_jobs", "schedule": 3600.0},
    "snapshot-users": {
        "task": "directory.tasks.snapshot_when_due",
        "schedule": 60.0,
    },
    "look-for-changes": {"task": "history.tasks.record_changes", "schedule": 15.0},
    "maintain-history": {"task": "history.tasks.maintain_history", "schedule": 3600.0},
    "sweep-peers": {"task": "diagnostics.tasks.sweep_when_due", "schedule": 15.0},
    "read-certificates": {
        "task": "exchange.tasks.read_when_due",
        "schedule": 60.0,
    },
    "prove-presence": {"task": "proof.tasks.prove_when_due", "schedule": 60.0},
}
