"""Selections and what shall be done with them, until somebody confirms the plan."""

from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from peers.bulk.changes import BulkChange
from peers.bulk.deletion import Deletion
from peers.models import BulkDraft, Peer

KEPT_FOR = timedelta(hours=8)


def keep_draft(user: User, action: str, peers: Iterable[Peer]) -> BulkDraft:
    """Keep a selection; the form that is shown next completes it."""
    draft = BulkDraft(user=user, action=action, peers=[str(peer.pk) for peer in peers])
    draft.save(force_insert=True)
    return draft


def kept_drafts(user: User) -> QuerySet[BulkDraft]:
    """The selections of a user that are still good."""
    since = timezone.now() - KEPT_FOR
    return BulkDraft.objects.filter(user=user, created_at__gte=since)


def forget_old() -> None:
    """Delete what nobody confirmed in time: it may hold a password."""
    BulkDraft.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()


def intent_of(draft: BulkDraft) -> BulkChange | Deletion:
    """What a completed draft asks for."""
    if draft.action == BulkDraft.Action.DELETE:
        return Deletion(draft.options["scope"])
    options = draft.options
    password = draft.unseal("password")
    return BulkChange(options["values"], password, options["both_sides"])
