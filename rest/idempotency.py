"""Idempotency-Key: the same POST twice does its work once."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from rest.models import IdempotentAnswer
from rest.problems import Conflict

KEPT_FOR = timedelta(hours=24)
REMEMBERED_HEADERS = ("Location", "ETag")


class Replay(Exception):
    """The answer was given before."""

    def __init__(self, answer: IdempotentAnswer) -> None:
        self.answer = answer


class IdempotentMixin:
    """Remembers the first answer of each key; same key, other body: 409."""

    claim: IdempotentAnswer | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key and request.user.is_authenticated:
            self.claim = claim(request, key)

    def handle_exception(self, error: Exception) -> Response:
        if isinstance(error, Replay):
            return Response(
                error.answer.body,
                status=error.answer.status,
                headers=error.answer.headers,
            )
        response: Response = super().handle_exception(error)  # type: ignore[misc]
        return response

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final: Response = super().finalize_response(  # type: ignore[misc]
            request, response, *args, **kwargs
        )
        if self.claim is not None:
            remember(self.claim, final)
            self.claim = None
        return final


def claim(request: Request, key: str) -> IdempotentAnswer:
    if len(key) > 200 or not key.isprintable():
        raise ValidationError(
            {"Idempotency-Key": ["At most 200 printable characters."]}
        )
    # Another token may be worth less; it is not told what this one was answered.
    asker = getattr(request.auth, "pk", "")
    body = f"{asker} {request.get_full_path()}\n".encode() + request._request.body
    digest = hashlib.sha256(body).hexdigest()
    user_id = int(request.user.pk or 0)
    mine = IdempotentAnswer.objects.filter(user_id=user_id, key=key)
    mine.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    try:
        with transaction.atomic():
            return IdempotentAnswer.objects.create(
                user_id=user_id, key=key, request_hash=digest
            )
    except IntegrityError:
        earlier = mine.get()
    if earlier.request_hash != digest:
        raise Conflict("This Idempotency-Key was used with another request.")
    if earlier.status is None:
        raise Conflict("The first request with this Idempotency-Key is under way.")
    raise Replay(earlier)


def remember(answer: IdempotentAnswer, response: Response) -> None:
    """Keep a success; forget the key of a failure, so that it may be tried again."""
    if response.status_code >= 400:
        answer.delete()
        return
    answer.status = response.status_code
    answer.headers = {
        name: response.headers[name]
        for name in REMEMBERED_HEADERS
        if name in response.headers
    }
    # Through the renderer, so that UUIDs and times are stored as they were sent.
    answer.body = json.loads(response.rendered_content or b"null")
    answer.save(update_fields=["status", "body", "headers"])
