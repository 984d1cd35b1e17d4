"""A run as a file: CSV for a spreadsheet, JSON for a program."""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404

from accounts.access import Role, access
from accounts.http import Request
from base.csv import csv_download, list_download
from diagnostics.api import RunSerializer
from diagnostics.models import TroubleshooterRun, count_results

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


RUNS: dict[str, Callable[[TroubleshooterRun], Any]] = {
    "id": attrgetter("pk"),
    "created_at": attrgetter("created_at"),
    "finished_at": attrgetter("finished_at"),
    "state": attrgetter("state"),
    "clusters": lambda run: ", ".join(one["name"] for one in run.visible_clusters),
    "failed": lambda run: run.visible_totals.get("failed"),
    "warning": lambda run: run.visible_totals.get("warning"),
    "information": lambda run: run.visible_totals.get("information"),
    "passed": lambda run: run.visible_totals.get("passed"),
    "requested_by": lambda run: run.requested_by and run.requested_by.get_username(),
    "reason": attrgetter("reason"),
}


def runs_as_csv(runs: QuerySet[TroubleshooterRun]) -> StreamingHttpResponse:
    found = list(runs)
    count_results(found)
    return list_download("troubleshooter-runs", RUNS, found)


@access(get=Role.VIEWER)
def as_csv(request: Request, pk: str) -> StreamingHttpResponse:
    run = get_object_or_404(TroubleshooterRun, pk=pk)
    return csv_download(name_of(run), [*COLUMNS, "caused_by", "answers"], csv_rows(run))


def csv_rows(run: TroubleshooterRun) -> Iterator[list[str]]:
    for *values, details in run.results.values_list(*COLUMNS, "details").iterator(500):
        answers = "\n".join(map(answer_line, details.get("answers", ())))
        yield [*values, details.get("caused_by", ""), answers]


def answer_line(answer: dict[str, Any]) -> str:
    """Put an answer in a line: asked, answered, when, how long."""
    duration_ms = answer["duration_ms"]
    when = answer["at"] or ""
    how_long = "" if duration_ms is None else f"{duration_ms} ms"
    about = ", ".join(part for part in (when, how_long) if part)
    text = f"{answer['asked']}: {answer['answer']}"
    return f"{text} ({about})" if about else text


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
