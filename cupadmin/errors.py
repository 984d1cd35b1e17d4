"""Error pages; below /api/ the same as problem details."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.exceptions import APIException

from rest.problems import json_problem


def _answer(
    request: HttpRequest, status: int, title: str, sentence: str
) -> HttpResponse:
    if request.path.startswith("/api/"):
        return json_problem(status, sentence)
    context = {"title": title, "sentence": sentence}
    return render(request, "error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400, "Bad request", "The request could not be understood.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = str(exception) or "Your role does not allow this."
    return _answer(request, 403, "Not allowed", sentence)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, APIException):
        return json_problem(404, str(exception))
    return _answer(request, 404, "Not found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    sentence = "The console failed to answer. Its log says why."
    return _answer(request, 500, "Unexpected error", sentence)
