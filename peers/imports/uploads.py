"""Files from their upload to their import: sealed, and kept for an hour."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from jobs.locks import JobLock
from peers.imports import parse, spreadsheet
from peers.models import Upload

RETENTION = timedelta(hours=1)
# More entries take longer than a page should: a job imports them.
SOON = 500
LOCK = "import:"


@sensitive_variables("content")
def store_upload(user: User, name: str, content: bytes) -> Upload:
    """Seal a file that can be read, in the place of the user's last one.

    Raises:
        reading.Unreadable: it cannot.
    """
    row = Upload(user=user, name=name[-100:])
    parse.read_entries(content, is_yaml=row.is_yaml)
    row.seal("content", spreadsheet.decode_text(content))
    delete_uploads(Q(user=user))
    row.save(force_insert=True)
    return row


def forget_old() -> None:
    delete_uploads(Q(created_at__lt=timezone.now() - RETENTION))


def delete_uploads(which: Q) -> None:
    """Delete these files, except those that a job is to import."""
    locks = JobLock.objects.filter(name__startswith=LOCK)
    in_use = [lock.name.removeprefix(LOCK) for lock in locks]
    Upload.objects.filter(which).exclude(pk__in=in_use).delete()


def uploads_of(user: User) -> QuerySet[Upload]:
    """The files that the user may import."""
    since = timezone.now() - RETENTION
    return Upload.objects.filter(user=user, created_at__gte=since)


@sensitive_variables("content")
def entries_of(row: Upload) -> list[parse.FileEntry]:
    content = row.unseal("content").reveal().encode()
    return parse.read_entries(content, is_yaml=row.is_yaml)


def lock_of(row: Upload) -> str:
    """The lock that a job holds until it has imported the file."""
    return f"{LOCK}{row.pk}"
