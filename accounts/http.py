"""The request as pages see it."""

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class Request(HttpRequest):
    """A request that passed the middleware: signed in, and htmx details at hand."""

    user: User
    htmx: HtmxDetails
