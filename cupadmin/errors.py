"""Error pages; below /api/ the same as problem details."""

import sys

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from rest_framework.exceptions import APIException

from rest.outages import RETRY_AFTER, Outage, outage_of
from rest.problems import json_problem


def _error_page(
    request: HttpRequest, status: int, title: str, sentence: str
) -> HttpResponse:
    if request.path.startswith("/api/"):
        return json_problem(status, sentence)
    context = {"title": title, "sentence": sentence}
    return render(request, "error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _error_page(request, 413, "Too large", "The request is too large.")
    return _error_page(
        request, 400, "Bad request", "The request could not be understood."
    )


def forbidden_page(request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = str(exception) or "Your role does not allow this."
    return _error_page(request, 403, "Not allowed", sentence)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, APIException):
        return json_problem(404, str(exception))
    return _error_page(request, 404, "Not found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500; or 503 where the database refused, in whichever layer."""
    if (outage := outage_of(sys.exception())) is not None:
        return outage_page(request, outage)
    sentence = "The console failed to answer. Its log says why."
    return _error_page(request, 500, "Unexpected error", sentence)


def outage_page(request: HttpRequest, outage: Outage) -> HttpResponse:
    """503, without asking the database: not even who is signed in."""
    response: HttpResponse
    if request.path.startswith("/api/"):
        response = json_problem(503, outage.value, code=outage.name.lower())
    else:
        title = "Try again" if outage.passes else "The database cannot be used"
        context = {"title": title, "sentence": outage.value}
        body = render_to_string("error.html", context)
        response = HttpResponse(body, status=503)
    if outage.passes:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response
