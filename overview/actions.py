"""What people say of a problem: acknowledged, snoozed, open again."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit import Actor
from overview.models import Problem
from overview.renewal import ACKNOWLEDGEMENT, clear_acknowledgement


def acknowledge_problem(problem: Problem, actor: Actor, note: str = "") -> None:
    """Say that it is known; it stays in the list, after those that are open."""
    change_problem(problem, actor, "acknowledge problem", note)


def snooze_problem(
    problem: Problem, actor: Actor, until: datetime, note: str = ""
) -> None:
    """Say that it is known until then, when it is open again."""
    change_problem(problem, actor, "snooze problem", note, until)


def change_problem(
    problem: Problem,
    actor: Actor,
    action: str,
    note: str,
    until: datetime | None = None,
) -> None:
    old = audit_values(problem)
    problem.acknowledged_by, problem.acknowledged_name = actor.user, actor.label
    problem.acknowledged_at, problem.note = timezone.now(), note
    problem.snoozed_until = until
    store_problem(problem, actor, action, old)


def reopen_problem(problem: Problem, actor: Actor) -> None:
    """Take back that it is known; nothing to do where nobody said so."""
    if problem.acknowledged_at is None:
        return
    old = audit_values(problem)
    clear_acknowledgement(problem)
    store_problem(problem, actor, "reopen problem", old)


@transaction.atomic
def store_problem(
    problem: Problem, actor: Actor, action: str, old: dict[str, Any]
) -> None:
    problem.save(update_fields=ACKNOWLEDGEMENT)
    audit.append_entry(
        actor, action, problem, audit.differences(old, audit_values(problem))
    )


def audit_values(problem: Problem) -> dict[str, Any]:
    """What the audit trail says of it."""
    until = problem.snoozed_until
    return {
        "acknowledged_by": problem.acknowledged_name,
        "note": problem.note,
        "snoozed_until": until.isoformat(timespec="seconds") if until else None,
    }
