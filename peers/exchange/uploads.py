"""Files from their upload to their import: sealed, and kept for an hour."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.audit import Actor
from accounts.scope import limit_of, limited_to
from jobs.locks import JobLock
from jobs.models import Job
from jobs.run import Run, Step
from peers.exchange import applying, reading
from peers.models import Upload

KEPT_FOR = timedelta(hours=1)
# More entries take longer than a page should: a job imports them.
SOON = 500
LOCK = "import:"


@sensitive_variables("content")
def keep(user: User, name: str, content: bytes) -> Upload:
    """Seal a file that can be read, in the place of the user's last one.

    Raises:
        reading.Unreadable: it cannot.
    """
    row = Upload(user=user, name=name[-100:])
    reading.read(content, is_yaml=row.is_yaml)
    row.seal("content", content.decode("utf-8-sig"))
    forget(Q(user=user))
    row.save(force_insert=True)
    return row


def forget_old() -> None:
    forget(Q(created_at__lt=timezone.now() - KEPT_FOR))


def forget(which: Q) -> None:
    """Delete these files, except those that a job is to import."""
    locks = JobLock.objects.filter(name__startswith=LOCK)
    taken = [lock.name.removeprefix(LOCK) for lock in locks]
    Upload.objects.filter(which).exclude(pk__in=taken).delete()


def kept(user: User) -> QuerySet[Upload]:
    """The files that the user may import."""
    since = timezone.now() - KEPT_FOR
    return Upload.objects.filter(user=user, created_at__gte=since)


@sensitive_variables("content")
def entries_of(row: Upload) -> list[reading.Entry]:
    content = row.unseal("content").reveal().encode()
    return reading.read(content, is_yaml=row.is_yaml)


def submit(row: Upload, count: int, actor: Actor) -> Job:
    """Submit the job that imports a long file.

    Raises:
        jobs.locks.Busy: there is one already.
    """
    return Job.objects.submit(
        "import-file",
        [("import", f"Import {count:,} entries")],
        label=row.name,
        arguments={"upload": str(row.pk)},
        locks=[f"{LOCK}{row.pk}"],
        user=actor.user,
        address=actor.address,
    )


def do(run: Run, step: Step) -> str:
    """Import the file of a job, as who asked for it; all of it, or the job fails.

    It may be cancelled until it is committed.
    """
    if said := imported(step):
        return said
    row = Upload.objects.filter(pk=run.arguments["upload"]).first()
    if row is None:
        run.fail("The file is kept no more: upload it again.")
    job = run.job
    actor = Actor(row.user, job.requested_from, job.request_id)

    def commit(result: applying.Result) -> None:
        run.check()
        step.remember(said=result.said)

    with limited_to(limit_of(row.user)):
        result = applying.apply(entries_of(row), actor, row, commit)
    if result.errors:
        first = result.errors[0]
        run.fail(
            f"Nothing was imported. {len(result.errors):,} with errors, the first is "
            f"line {first.entry.line}: {' '.join(first.errors)}"
        )
    if result.refused and not imported(step):
        run.fail(f"Nothing was imported. {result.refused}")
    return imported(step)


def imported(step: Step) -> str:
    """What the attempt said that imported the file, this one or another.

    One that was taken for dead may end only now.
    """
    step.row.refresh_from_db(fields=["memo"])
    return str(step.row.memo.get("said", ""))
