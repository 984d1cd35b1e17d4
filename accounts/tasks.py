"""Housekeeping: sessions that are over, old counters, old audit entries."""

import logging
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import audit, grants, sessions, users
from accounts.models import Attempts
from rest.idempotency import RETENTION
from rest.models import Allowance, IdempotentAnswer
from rest.throttling import WINDOW

logger = logging.getLogger(__name__)


@shared_task
def clean_accounts() -> None:
    now = timezone.now()
    sessions.forget_old()
    Session.objects.filter(expire_date__lt=now).delete()
    Attempts.objects.filter(until__lt=now).delete()
    IdempotentAnswer.objects.filter(created_at__lt=now - RETENTION).delete()
    Allowance.objects.filter(window__lt=now.timestamp() // WINDOW - 60).delete()
    apply_groups()
    if settings.AUDIT_RETENTION_DAYS:
        audit.prune_entries(now - timedelta(days=settings.AUDIT_RETENTION_DAYS))


def apply_groups() -> None:
    """Let settings that changed meanwhile act on accounts that stay signed in."""
    try:
        grants.apply_to_all(audit.CONSOLE)
    except users.LastAdministrator:
        logger.warning("Groups are not applied: nobody would be administrator.")
