"""Import a long file of clusters and peers; all of it, or nothing."""

from django.urls import reverse

from accounts.audit import Actor
from accounts.cluster_limits import limit_of, limited_to
from accounts.roles import Role
from jobs.kind import JobKind, StepKind
from jobs.models import Job
from jobs.run import Step
from peers.imports import apply, uploads
from peers.models import Upload

FILE_IS_GONE = "The file is no longer stored: upload it again."


class ImportFile(JobKind):
    name = "import-file"
    label = "Import file"
    role = Role.ADMINISTRATOR

    entries = StepKind("Import {count:,} entries")

    @classmethod
    def submit(cls, upload: Upload, count: int, actor: Actor) -> Job:
        """Submit the import of a file with so many entries.

        Raises:
            jobs.locks.Busy: there is one already.
        """
        return Job.objects.submit(
            cls,
            [cls.entries.planned(count=count)],
            label=upload.name,
            arguments={"upload": str(upload.pk)},
            locks=[uploads.lock_of(upload)],
            user=actor.user,
            address=actor.address,
        )

    @classmethod
    def page_of(cls, job: Job) -> str:
        return reverse("peers:find")

    def work(self) -> None:
        self.run.do(self.entries, self.import_entries)

    def import_entries(self, step: Step) -> str:
        """Import as the requester; the job may be cancelled until that is committed."""
        if summary := imported_before(step):
            return summary
        row = Upload.objects.filter(pk=self.run.arguments["upload"]).first()
        if row is None:
            self.run.fail(FILE_IS_GONE)
        # Who retried the job answers for it.
        user = self.job.requested_by or row.user
        actor = Actor(user, self.job.requested_from, self.job.request_id)

        def commit(result: apply.ImportResult) -> None:
            self.run.raise_if_cancelled()
            step.save_memo(sentence=result.sentence)

        with limited_to(limit_of(user)):
            result = apply.apply_import(uploads.entries_of(row), actor, row, commit)
        if result.errors:
            first = result.errors[0]
            self.run.fail(
                f"Nothing was imported. {len(result.errors):,} with errors, the first "
                f"is line {first.entry.line}: {' '.join(first.errors)}"
            )
        if result.refused and not imported_before(step):
            self.run.fail(f"Nothing was imported. {result.refused}")
        return imported_before(step)


def imported_before(step: Step) -> str:
    """What the attempt said that imported the file, this one or another.

    One that was taken for dead may end only now.
    """
    step.row.refresh_from_db(fields=["memo"])
    return str(step.row.memo.get("sentence", ""))
