"""A run as a file: CSV for a spreadsheet, JSON for a program."""

import csv
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404

from accounts.access import Role, access
from accounts.http import Request
from diagnostics.api import RunSerializer
from diagnostics.models import TroubleshooterRun

COLUMNS = (
    "section",
    "description",
    "outcome",
    "cluster_name",
    "node_name",
    "peer_address",
    "problem",
    "solution",
    "code",
)
# A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Echo:
    """A file whose lines are handed on instead of kept."""

    def write(self, line: str) -> str:
        return line


def safe(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value


@access(get=Role.VIEWER)
def as_csv(request: Request, pk: str) -> StreamingHttpResponse:
    run = get_object_or_404(TroubleshooterRun, pk=pk)
    response = StreamingHttpResponse(csv_lines(run), content_type="text/csv")
    response["Content-Disposition"] = attachment(run, "csv")
    return response


def csv_lines(run: TroubleshooterRun) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for values in run.results.values_list(*COLUMNS).iterator(500):
        yield writer.writerow([safe(value) for value in values])


@access(get=Role.VIEWER)
def as_json(request: Request, pk: str) -> HttpResponse:
    run = get_object_or_404(TroubleshooterRun.objects.select_related("job"), pk=pk)
    data: dict[str, Any] = dict(RunSerializer(run).data)
    response = JsonResponse(data)
    response["Content-Disposition"] = attachment(run, "json")
    return response


def attachment(run: TroubleshooterRun, kind: str) -> str:
    return f'attachment; filename="troubleshooter-{run.created_at:%Y%m%d-%H%M}.{kind}"'
