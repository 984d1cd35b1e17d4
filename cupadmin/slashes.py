"""Addresses without their last slash."""

from django.http import HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware


class RepeatingRedirect(HttpResponsePermanentRedirect):
    """308: to be sent again as it was. After a 301 most clients turn POST into GET,
    and take the list that this answers for what they added."""

    status_code = 308


class SlashMiddleware(CommonMiddleware):
    """Lead an address without its last slash to the one that has it."""

    response_redirect_class = RepeatingRedirect
