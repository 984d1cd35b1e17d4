"""Errors as problem details (RFC 9457)."""

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DataError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
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
    if status == HTTPStatus.BAD_REQUEST:
        extra.setdefault("errors", by_field(detail))
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


def by_field(detail: Any) -> dict[str, list[str]]:
    if isinstance(detail, dict):
        return {str(name): list(messages_in(value)) for name, value in detail.items()}
    return {api_settings.NON_FIELD_ERRORS_KEY: list(messages_in(detail))}


def messages_in(value: Any, place: str = "") -> Iterator[str]:
    """Yield the messages of a field; one about a part of it begins with its place."""
    if isinstance(value, dict):
        for name, inner in value.items():
            own = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from messages_in(inner, place if own else joined(place, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            # A list of objects has one dictionary for each, empty where it is right.
            among = isinstance(inner, dict)
            yield from messages_in(inner, joined(place, number) if among else place)
    elif place:
        yield exceptions.ErrorDetail(f"{place}: {value}", getattr(value, "code", None))
    else:
        yield value if isinstance(value, str) else str(value)


def joined(place: str, part: Any) -> str:
    return f"{place}.{part}" if place else str(part)


def json_problem(status: int, detail: str, **extra: Any) -> JsonResponse:
    """The same for errors outside REST views, below /api/."""
    body = problem_data(status, detail, **extra)
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)
