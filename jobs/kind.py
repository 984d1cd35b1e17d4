"""Kinds of jobs: each is a class in a file of its own, `<app>/jobs/<kind>.py`.

The file reads from top to bottom: the name and label of the kind, who may start it, its
steps, how it is requested, and its work.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.db.models import Model

from accounts.cluster_limits import clusters_of
from accounts.roles import Role

if TYPE_CHECKING:
    from jobs.models import Job, JobStep
    from jobs.models.submitting import JobQuerySet
    from jobs.run import Run


class StepKind:
    """A step that jobs of a kind have; its key is the name of the attribute.

    Args:
        label: what people read; it may have placeholders of `str.format`.
    """

    key: str

    def __init__(self, label: str) -> None:
        self.label = label

    def __set_name__(self, owner: type["JobKind"], name: str) -> None:
        self.key = name.replace("_", "-")

    def __str__(self) -> str:
        return self.key

    def of(self, part: object) -> "StepKind":
        """The same step for one part of a job that does it for several."""
        step = copy(self)
        step.key = f"{part}:{self.key}"
        return step

    def keyed(self, key: object) -> "StepKind":
        """The same step under the key of what it is done to, as the id of a node."""
        step = copy(self)
        step.key = str(key)
        return step

    def planned(self, **names: object) -> tuple[str, str]:
        """The step as a request for a job has it: its key and label."""
        return self.key, self.label.format(**names)[:255]

    def row(self, job: "Job") -> "JobStep | None":
        found: JobStep | None = job.steps.filter(key=self.key).first()
        return found

    def has_started(self, job: "Job") -> bool:
        """Whether an attempt at the job has started this step."""
        return job.steps.filter(key=self.key).exclude(started_at=None).exists()


@dataclass(frozen=True)
class JobRequest:
    """A job that is to be submitted, in the words of `JobManager.submit`."""

    kind: str
    steps: Sequence[tuple[str, str]]
    target: Model | None = None
    label: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    locks: Iterable[str] = ()
    clusters: Iterable[UUID | str] = ()
    queue: str = ""

    @property
    def touched(self) -> list[UUID]:
        """The clusters that it works on, each once."""
        ids = {str(pk) for pk in (*self.clusters, *clusters_of(self.target))}
        return [UUID(pk) for pk in sorted(ids)]


class JobKind:
    """One kind of job. An instance is one attempt at a job of this kind."""

    # Stored with each job; it does not change from release to release.
    name: ClassVar[str]
    label: ClassVar[str]
    # What it takes to start, cancel and retry it; checked again while it runs.
    role: ClassVar[Role]
    queue: ClassVar[str] = "operate"
    # How it ends is an entry of the audit trail, since it changes something.
    audited: ClassVar[bool] = False
    # An edit of its target cancels it while it waits; others cope with a row that is
    # changed or gone.
    withdrawn: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        if name := cls.__dict__.get("name"):
            other = _kinds.setdefault(name, cls)
            if other.__qualname__ != cls.__qualname__:
                raise TypeError(f"{other.__qualname__} is named {name} as well.")

    def __init__(self, run: "Run") -> None:
        self.run = run

    @property
    def job(self) -> "Job":
        return self.run.job

    def work(self) -> None:
        """Do the steps; raise `jobs.run.Ended` or WireError to end without success."""
        raise NotImplementedError

    @classmethod
    def page_of(cls, job: "Job") -> str:
        """The URL of the page about what it works on, where it has no single target."""
        return ""

    @classmethod
    def clean_up(cls, job: "Job", state: str) -> None:
        """Put right what a job leaves that ended in `state`, without success.

        It runs in the transaction that ends the job.
        """

    @classmethod
    def all(cls) -> "JobQuerySet":
        from jobs.models import Job

        found: JobQuerySet = Job.objects.filter(kind=cls.name)
        return found


_kinds: dict[str, type[JobKind]] = {}


class UnknownKind(JobKind):
    """A kind that only an older release had."""

    role = Role.ADMINISTRATOR
    queue = ""

    def work(self) -> None:
        self.run.fail("This release no longer knows this kind of job.")


def kind_named(name: str) -> type[JobKind]:
    return _kinds.get(name, UnknownKind)


def label_of(name: str) -> str:
    kind = _kinds.get(name)
    return kind.label if kind else name.replace("-", " ").capitalize()


def withdrawn_kinds() -> list[str]:
    return [kind.name for kind in _kinds.values() if kind.withdrawn]


def all_queues() -> set[str]:
    """The queues that the kinds of jobs use, whatever the sites."""
    return {kind.queue for kind in _kinds.values()}


def kind_choices() -> list[tuple[str, str]]:
    return sorted((kind.name, kind.label) for kind in _kinds.values())
