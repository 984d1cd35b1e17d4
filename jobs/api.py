"""REST: jobs."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts import audit
from accounts.access import Role
from jobs.locks import Busy
from jobs.models import BEYOND, Job, JobQuerySet, JobStep
from rest.problems import Conflict


class StepSerializer(serializers.ModelSerializer[JobStep]):
    """One step of a job."""

    class Meta:
        model = JobStep
        fields = ("label", "state", "detail", "started_at", "finished_at")


class JobSerializer(serializers.ModelSerializer[Job]):
    """A background operation and how it goes."""

    progress = serializers.SerializerMethodField()
    steps = StepSerializer(many=True, read_only=True)
    requested_by = serializers.CharField(
        source="requested_by.username", default=None, read_only=True, allow_null=True
    )
    error = serializers.CharField(source="told_error", read_only=True)
    target = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "state",
            "progress",
            "steps",
            "error",
            "requested_by",
            "target",
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


def accepted(job: Job, request: Request, **extra: Any) -> Response:
    """Answer 202 with the job and where to watch it."""
    location = reverse("api:jobs-detail", args=[job.pk], request=request)
    body = {**JobSerializer(job).data, **extra}
    return Response(body, status=202, headers={"Location": location})


def busy(error: Busy) -> Conflict:
    return Conflict(str(error), job=str(error.job.pk))


class JobViewSet(viewsets.ReadOnlyModelViewSet[Job]):
    """Background operations, newest first."""

    serializer_class = JobSerializer
    queryset = Job.objects.prefetch_related("steps")
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

    def get_object(self) -> Job:
        job = super().get_object()
        if self.action in ("cancel", "retry") and job.beyond:
            raise PermissionDenied(BEYOND)
        return job

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        job = self.get_object()
        if not job.cancel():
            raise Conflict("This job is over.")
        audit.record(audit.actor_of(request), "cancel job", job)
        job.refresh_from_db()
        return accepted(job, request)

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        job = self.get_object()
        if not job.may_retry:
            raise Conflict("Only a job that ended without success can be retried.")
        try:
            job.retry()
        except Busy as error:
            raise busy(error) from error
        audit.record(audit.actor_of(request), "retry job", job)
        job.refresh_from_db()
        return accepted(job, request)
