"""Errors as problem details (RFC 9457)."""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from rest.outages import RETRY_AFTER, Outage, outage_of

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Conflict(exceptions.APIException):
    """409: the state of things does not allow it now."""

    status_code = 409
    default_detail = "This conflicts with what is going on."
    default_code = "conflict"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.extra = extra


class PreconditionFailed(exceptions.APIException):
    """412: somebody else changed it since it was read."""

    status_code = 412
    default_detail = "It was changed since you read it. Read it again, then retry."
    extra: dict[str, Any]


class PreconditionRequired(exceptions.APIException):
    """428: an edit must say which version it changes."""

    status_code = 428
    default_detail = "Send If-Match with the ETag that you read."


class Unavailable(exceptions.APIException):
    """503: the database refuses; with Retry-After where that passes by itself."""

    status_code = 503

    def __init__(self, outage: Outage) -> None:
        super().__init__(outage.value)
        if outage.passes:
            self.wait = RETRY_AFTER
        self.extra = {"code": outage.name.lower()}


def problem_data(status: int, detail: str, **extra: Any) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **extra,
    }


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception of a REST view into a problem response."""
    if isinstance(error, DataError | OverflowError | UnicodeError | RecursionError):
        # A net: such values should have been refused by a field before.
        logger.error("unfit value reached the database", exc_info=error)
        error = exceptions.ValidationError("A value does not fit.")
    if (outage := outage_of(error)) is not None:
        cause = None if outage.passes else error
        logger.warning("the database: %s", error, exc_info=cause)
        error = Unavailable(outage)
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is no such object.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    response = exception_handler(error, context)
    if response is None:
        return None
    set_rollback()
    extra = dict(getattr(error, "extra", {}))
    detail = sentence_of(response.data)
    if isinstance(error, exceptions.ValidationError):
        extra["errors"] = by_field(error.detail)
        detail = "Some values were not accepted."
    response.data = problem_data(response.status_code, detail, **extra)
    response.content_type = MEDIA_TYPE
    return response


def sentence_of(data: Any) -> str:
    detail = data.get("detail", "") if isinstance(data, dict) else data
    return str(detail[0] if isinstance(detail, list) and detail else detail)


def by_field(detail: Any) -> dict[str, Any]:
    if isinstance(detail, dict):
        return {name: messages_in(value) for name, value in detail.items()}
    return {"non_field_errors": messages_in(detail)}


def messages_in(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def json_problem(status: int, detail: str, **extra: Any) -> JsonResponse:
    """The same for errors outside REST views, below /api/."""
    body = problem_data(status, detail, **extra)
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)
