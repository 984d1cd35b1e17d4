"""REST: import of clusters and peers by a file, and their export."""

import json
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounts import audit
from accounts.roles import Role
from base.unreadable import Unreadable
from jobs.api import JobSerializer, accepted_response, busy_conflict
from jobs.locks import Busy
from peers.imports import apply, exports, parse, uploads
from peers.imports.apply import ImportResult
from peers.imports.validate import ADD, CHANGE, NOTHING
from peers.jobs.import_file import ImportFile
from peers.models import Upload
from rest.filters import refuse_unknown
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict

# Entries that an answer lists, the worst first; the counts cover all of them.
MOST_LISTED = 1_000
FILE_FORMATS = ("csv", "yaml")


class ImportFileSerializer(serializers.Serializer[Any]):
    """A file: either its content as a text, or the document that a YAML file has."""

    name = serializers.CharField(max_length=80, default="import")
    format = serializers.ChoiceField(choices=FILE_FORMATS, required=False)
    content = serializers.CharField(
        write_only=True,
        required=False,
        max_length=parse.LARGEST,
        trim_whitespace=False,
        help_text="A CSV file of clusters or of peers, or a YAML file of both.",
    )
    document = serializers.DictField(
        child=serializers.ListField(
            child=serializers.DictField(child=serializers.CharField(allow_blank=True))
        ),
        write_only=True,
        required=False,
        help_text="{clusters: [...], peers: [...]} as `exports/` answers; passwords "
        "may be added.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("content" in attrs) == ("document" in attrs):
            sentence = "Give either content, with its format, or document."
            raise serializers.ValidationError({"content": [sentence]})
        if "content" in attrs and "format" not in attrs:
            raise serializers.ValidationError({"format": ["This field is required."]})
        return attrs


class ImportEntrySerializer(serializers.Serializer[Any]):
    """What one entry of the file does, or why it cannot."""

    line = serializers.IntegerField(source="entry.line")
    kind = serializers.ChoiceField(
        source="entry.kind", choices=(parse.CLUSTER, parse.PEER)
    )
    label = serializers.CharField()  # type: ignore[assignment]
    action = serializers.ChoiceField(choices=(ADD, CHANGE, NOTHING))
    changed = serializers.ListField(child=serializers.CharField())
    errors = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]
    warnings = serializers.ListField(child=serializers.CharField())


class ImportSerializer(serializers.Serializer[Any]):
    """What a file would do, or has done."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Of all entries: add, change, nothing, errors, warnings.",
    )
    by_job = serializers.BooleanField(
        help_text=f"More than {uploads.SOON} entries are imported by a job."
    )
    entries = ImportEntrySerializer(
        many=True, help_text=f"The worst first, {MOST_LISTED:,} at most."
    )


class ExportSerializer(serializers.Serializer[Any]):
    """Clusters and peers as an import reads them; never a password."""

    clusters = serializers.ListField(child=serializers.DictField())
    peers = serializers.ListField(child=serializers.DictField())


def import_data(row: Upload, result: ImportResult) -> dict[str, Any]:
    counts = {action: result.count(action) for action in (ADD, CHANGE, NOTHING)}
    counts["errors"] = len(result.errors)
    counts["warnings"] = sum(bool(effect.warnings) for effect in result.effects)
    found = {
        "id": row.pk,
        "name": row.name,
        "counts": counts,
        "by_job": len(result.effects) > uploads.SOON,
        "entries": result.worst_first[:MOST_LISTED],
    }
    return dict(ImportSerializer(found).data)


def uploads_behind(request: Request) -> QuerySet[Upload]:
    user: Any = request.user
    return uploads.uploads_of(user)


class ImportsView(IdempotentMixin, APIView):
    """Files of clusters and peers, kept for an hour until they are imported."""

    access = {"post": Role.ADMINISTRATOR}

    @extend_schema(
        request=ImportFileSerializer,
        responses={201: ImportSerializer},
    )
    @sensitive_variables("form")
    def post(self, request: Request) -> Response:
        """Store a file and say what it would do; it replaces one's last file."""
        form = ImportFileSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user: Any = request.user
        row = store_file(user, form.validated_data)
        where = reverse("api:imports-detail", args=[row.pk], request=request)
        body = import_data(row, apply.preview_import(uploads.entries_of(row)))
        return Response(body, status=201, headers={"Location": where})


@sensitive_variables("given", "content")
def store_file(user: User, given: dict[str, Any]) -> Upload:
    if "document" in given:
        # JSON is YAML; a line for each value, so that an error is found again.
        content = json.dumps(given["document"], ensure_ascii=False, indent=1)
        field, name = "document", f"{given['name']}.yaml"
    else:
        content, field = given["content"], "content"
        name = f"{given['name']}.{given['format']}"
    try:
        return uploads.store_upload(user, name, content.encode())
    except Unreadable as error:
        raise serializers.ValidationError({field: [str(error)]}) from None


class ImportView(APIView):
    """One's own file, until it is imported."""

    access = {"get": Role.ADMINISTRATOR}
    queryset = Upload.objects.all()

    @extend_schema(responses=ImportSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """Say what the file would do now."""
        row = get_object_or_404(uploads_behind(request), pk=pk)
        result = apply.preview_import(uploads.entries_of(row))
        return Response(import_data(row, result))


class ApplyImportView(IdempotentMixin, APIView):
    """Import a file: all of it, or nothing."""

    access = {"post": Role.ADMINISTRATOR}
    recent_proof = ("post",)

    @extend_schema(
        request=None,
        responses={200: ImportSerializer, 202: JobSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Import it; 202 with a job where it is long, 409 where an entry is wrong."""
        row = get_object_or_404(uploads_behind(request), pk=pk)
        entries, actor = uploads.entries_of(row), audit.actor_of(request)
        if len(entries) > uploads.SOON:
            try:
                job = ImportFile.submit(row, len(entries), actor)
            except Busy as error:
                raise busy_conflict(error) from error
            return accepted_response(job, request)
        result = apply.apply_import(entries, actor, row)
        body = import_data(row, result)
        if result.errors:
            entry_errors = "Nothing was imported: some entries have errors."
            raise Conflict(entry_errors, code="entry_errors", **body)
        if result.refused:
            raise Conflict(result.refused, code="refused")
        return Response(body)


class ExportsView(APIView):
    """Clusters and peers as a document that an import reads again."""

    access = {"get": Role.VIEWER}

    @extend_schema(responses=ExportSerializer)
    def get(self, request: Request) -> Response:
        refuse_unknown(request)
        return Response(exports.export_document())
