"""A run as a file: CSV for a spreadsheet, JSON for a program."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404

from accounts.access import Role, access
from accounts.http import Request
from diagnostics.api import RunSerializer
from diagnostics.models import TroubleshooterRun, count_results
from rest.csv import csv_download

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


@access(get=Role.VIEWER)
def as_csv(request: Request, pk: str) -> StreamingHttpResponse:
    run = get_object_or_404(TroubleshooterRun, pk=pk)
    return csv_download(name_of(run), [*COLUMNS, "caused_by", "answers"], rows(run))


def rows(run: TroubleshooterRun) -> Iterator[list[str]]:
    for *values, details in run.results.values_list(*COLUMNS, "details").iterator(500):
        answers = "\n".join(map(line, details.get("answers", ())))
        yield [*values, details.get("caused_by", ""), answers]


def line(answer: dict[str, Any]) -> str:
    """Put an answer in a line: asked, answered, when, how long."""
    took = answer["duration_ms"]
    when = answer["at"] or ""
    how_long = "" if took is None else f"{took} ms"
    about = ", ".join(part for part in (when, how_long) if part)
    told = f"{answer['asked']}: {answer['answer']}"
    return f"{told} ({about})" if about else told


@access(get=Role.VIEWER)
def as_json(request: Request, pk: str) -> HttpResponse:
    run = get_object_or_404(TroubleshooterRun.objects.select_related("job"), pk=pk)
    count_results([run])
    data: dict[str, Any] = dict(RunSerializer(run).data)
    response = JsonResponse(data)
    response["Content-Disposition"] = f'attachment; filename="{name_of(run)}.json"'
    return response


def name_of(run: TroubleshooterRun) -> str:
    return f"troubleshooter-{run.created_at:%Y%m%d-%H%M}"
