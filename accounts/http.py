"""The request as pages see it."""

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import BrowserSession


class Request(HttpRequest):
    """A request that passed the middleware: signed in, and htmx details at hand."""

    user: User
    htmx: HtmxDetails
    sign_in: BrowserSession
    request_id: str
