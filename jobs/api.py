"""REST: jobs."""

from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounts import audit
from accounts.access import Role, role_behind
from jobs.locks import Busy
from jobs.models import EXCEEDS_LIMIT, Job, JobQuerySet, JobStep, Process
from jobs.processes import with_jobs
from jobs.retrying import retry_as
from jobs.waiting import served_queues, waiting_for
from rest.filters import refuse_unknown
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict


class StepSerializer(serializers.ModelSerializer[JobStep]):
    """One step of a job."""

    class Meta:
        model = JobStep
        fields = ("label", "state", "detail", "started_at", "finished_at")


class WorkerSerializer(serializers.Serializer[Any]):
    """The process that has a job in hand."""

    host = serializers.CharField()
    pid = serializers.IntegerField()


class JobSerializer(serializers.ModelSerializer[Job]):
    """A background operation and how it goes."""

    progress = serializers.SerializerMethodField()
    steps = StepSerializer(many=True, read_only=True)
    requested_by = serializers.CharField(
        source="requester", read_only=True, allow_null=True
    )
    error = serializers.CharField(source="visible_error", read_only=True)
    target = serializers.SerializerMethodField()
    worker = serializers.SerializerMethodField(
        help_text="The process that has the job in hand; null if none has."
    )
    waiting_for = serializers.SerializerMethodField(
        help_text="What a queued job waits for, other than its turn; null otherwise."
    )

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "state",
            "progress",
            "steps",
            "error",
            "error_code",
            "requested_by",
            "target",
            "attempts",
            "worker",
            "waiting_for",
            "created_at",
            "started_at",
            "finished_at",
        )

    def get_progress(self, job: Job) -> dict[str, int]:
        return {"done": job.done, "total": job.total}

    def get_target(self, job: Job) -> dict[str, str] | None:
        if not job.target_id:
            return None
        return {
            "type": job.target_type,
            "id": job.target_id,
            "label": job.target_label,
        }

    @extend_schema_field(WorkerSerializer(allow_null=True))
    def get_worker(self, job: Job) -> dict[str, Any] | None:
        if job.state != Job.State.RUNNING or job.worker is None:
            return None
        return {"host": job.worker.host, "pid": job.worker.pid}

    def get_waiting_for(self, job: Job) -> str | None:
        if job.state != Job.State.QUEUED:
            return None
        # Looked at once for all rows of a list.
        context = cast(dict[str, Any], self.context)
        if "served_queues" not in context:
            context["served_queues"] = served_queues()
        return waiting_for(job, context["served_queues"])


def accepted_response(job: Job, request: Request, **extra: Any) -> Response:
    """Answer 202 with the job and where to watch it."""
    location = reverse("api:jobs-detail", args=[job.pk], request=request)
    body = {**JobSerializer(job).data, **extra}
    return Response(body, status=202, headers={"Location": location})


def busy_conflict(error: Busy) -> Conflict:
    return Conflict(str(error), job=str(error.job.pk))


class JobViewSet(IdempotentMixin, viewsets.ReadOnlyModelViewSet[Job]):
    """Background operations, newest first."""

    serializer_class = JobSerializer
    queryset = Job.objects.select_related("worker").prefetch_related("steps")
    filterset_fields = ("kind", "state", "target_type", "target_id")
    ordering_fields = ("created_at", "started_at", "finished_at", "kind", "state")
    access = {
        "list": Role.VIEWER,
        "retrieve": Role.VIEWER,
        "cancel": Role.OPERATOR,
        "retry": Role.OPERATOR,
    }

    def get_queryset(self) -> QuerySet[Job]:
        return cast(JobQuerySet, super().get_queryset()).in_list()

    def controllable(self) -> Job:
        """The job, or 403 for those who may not start one of its kind."""
        job = self.get_object()
        if job.exceeds_limit:
            raise PermissionDenied(EXCEEDS_LIMIT)
        if not job.may_be_controlled(role_behind(self.request)):
            audit.record_refusal(self.request)
            raise PermissionDenied(f"This needs the role {job.needed_role.value}.")
        return job

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        job = self.controllable()
        with transaction.atomic():
            if not job.cancel():
                raise Conflict("This job is over.")
            audit.append_entry(audit.actor_of(request), "cancel job", job)
        job.refresh_from_db()
        return accepted_response(job, request)

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        job = self.controllable()
        if not job.may_retry:
            raise Conflict("Only a job that ended without success can be retried.")
        try:
            with transaction.atomic():
                retry_as(audit.actor_of(request), job)
        except Busy as error:
            raise busy_conflict(error) from error
        job.refresh_from_db()
        return accepted_response(job, request)


class ProcessSerializer(serializers.ModelSerializer[Process]):
    """A process of the console, by its heartbeats."""

    running = serializers.BooleanField(
        help_text="False: it has ended without notice, or cannot reach the database."
    )
    queues = serializers.ListField(child=serializers.CharField())
    sites = serializers.ListField(child=serializers.CharField())
    job = serializers.SerializerMethodField(
        help_text="The job that it has in hand, of those that you may see."
    )

    class Meta:
        model = Process
        fields = (
            "host",
            "pid",
            "kind",
            "version",
            "queues",
            "sites",
            "started_at",
            "last_seen",
            "running",
            "job",
        )
        read_only_fields = fields

    def get_job(self, process: Process) -> UUID | None:
        job: Job | None = self.context["jobs"].get(process.pk)
        return job.pk if job else None


class ProcessesView(APIView):
    """The processes of the console, wherever they run.

    One that was stopped is taken off the list; one that vanished stays for a day.
    """

    access = {"get": Role.OPERATOR}

    @extend_schema(responses=ProcessSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_unknown(request)
        processes, jobs = with_jobs()
        context = {"jobs": jobs}
        serializer = ProcessSerializer(processes, many=True, context=context)
        return Response(serializer.data)
