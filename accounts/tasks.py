"""Housekeeping: sessions that are over, old counters, old audit entries."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import audit, sessions
from accounts.models import Attempts
from rest.idempotency import KEPT_FOR
from rest.models import Allowance, IdempotentAnswer
from rest.throttling import WINDOW


@shared_task
def clean() -> None:
    now = timezone.now()
    sessions.forget_old()
    Session.objects.filter(expire_date__lt=now).delete()
    Attempts.objects.filter(until__lt=now).delete()
    IdempotentAnswer.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    Allowance.objects.filter(window__lt=now.timestamp() // WINDOW - 60).delete()
    if settings.AUDIT_RETENTION_DAYS:
        audit.prune(now - timedelta(days=settings.AUDIT_RETENTION_DAYS))
