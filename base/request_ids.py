"""An id for each request, in its answer, its audit entries and its log lines.

A job that a request asked for works under the id of that request and its own.
"""

import logging
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")

NONE = "-"

current: ContextVar[str] = ContextVar("request_id", default=NONE)
current_job: ContextVar[str] = ContextVar("job_id", default="")


def current_request_id() -> str:
    """Return the id of the request that this is done for; empty without one."""
    found = current.get()
    return "" if found == NONE else found


@contextmanager
def within_job(job_id: str, request_id: str) -> Iterator[None]:
    """Do the work of a job on behalf of the request that asked for it."""
    job, request = current_job.set(job_id), current.set(request_id or NONE)
    try:
        yield
    finally:
        current_job.reset(job)
        current.reset(request)


class RequestIdMiddleware:
    """Takes the id that the client or a proxy sends, if it is well formed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        request_id = given if WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        token = current.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            current.reset(token)
        response[HEADER] = request_id
        return response


class RequestIdFilter(logging.Filter):
    """Gives each log record the ids of the request and the job that it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current.get()
        record.job_id = current_job.get()
        return True
