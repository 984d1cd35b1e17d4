"""Compressed answers, except those that hold a secret.

Who can see the length of compressed answers, and have a text of their own repeated
beside a secret, can guess the secret (BREACH). The token against forged requests is
masked for each answer and the length is blurred by random bytes; answers that show a
password, a token, a key or codes are sent as they are.
"""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# Secrets are shown in answers to POST, and on pages with these names.
SECRETIVE = ("mfa_",)


class CompressionMiddleware(GZipMiddleware):
    """Compress answers to GET that hold no secret.

    Those with an ETag are left alone as well: compression would make it a weak one,
    which no `If-Match` accepts.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.method != "GET" or response.has_header("ETag"):
            return response
        match = request.resolver_match
        if match and (match.url_name or "").startswith(SECRETIVE):
            return response
        return super().process_response(request, response)
