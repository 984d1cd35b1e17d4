"""Idempotency-Key: the same POST twice does its work once.

The first answer is given again only to whoever may still read it: a role or a limit to
clusters may have become less since.
"""

import json
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import Error, IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import Resolver404, resolve
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from base.keyed_hash import keyed_hash, keyed_hashes
from rest.models import IdempotentAnswer
from rest.problems import Conflict

PURPOSE = "rest.idempotency"
RETENTION = timedelta(hours=24)
REMEMBERED_HEADERS = ("Location", "ETag")


class NotVisibleNow(Conflict):
    """409: what the first request did is beyond the rights of this one."""

    default_code = "not_visible_now"

    def __init__(self) -> None:
        super().__init__(
            "Your rights have changed since the first request with this "
            "Idempotency-Key. Its work was done once; it is not repeated.",
            code=self.default_code,
        )


class Replay(Exception):
    """The answer was given before."""

    def __init__(self, answer: IdempotentAnswer) -> None:
        self.answer = answer


class IdempotentMixin:
    """Remembers the first answer of each key; same key, other body: 409."""

    claim: IdempotentAnswer | None = None
    # Actions whose answer holds a secret, which is not kept: they take no key.
    secret_answers: Collection[str] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        key = request.headers.get("Idempotency-Key")
        if getattr(self, "action", None) in self.secret_answers:
            return
        if request.method == "POST" and key and request.user.is_authenticated:
            self.claim = claim_key(request, key)

    def handle_exception(self, error: Exception) -> Response:
        if isinstance(error, Replay):
            return Response(
                error.answer.body,
                status=error.answer.status,
                headers=error.answer.headers,
            )
        try:
            response: Response = super().handle_exception(error)  # type: ignore[misc]
        except Exception:
            # Nobody will store an answer: the key must not stay "under way" for a day.
            forget_claim(self.claim)
            raise
        return response

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final: Response = super().finalize_response(  # type: ignore[misc]
            request, response, *args, **kwargs
        )
        if self.claim is not None:
            store_answer(self.claim, final)
            self.claim = None
        return final


def claim_key(request: Request, key: str) -> IdempotentAnswer:
    """Take the key for this request, or say what became of it before.

    Raises:
        Replay: the same request was answered, and may be answered so again.
        Conflict: another request used the key, the first is under way, or its answer
            is beyond the rights of now.
    """
    if len(key) > 200 or not key.isprintable():
        raise ValidationError(
            {"Idempotency-Key": ["At most 200 printable characters."]}
        )
    user_id = int(request.user.pk or 0)
    mine = IdempotentAnswer.objects.filter(user_id=user_id, key=key)
    mine.filter(created_at__lt=timezone.now() - RETENTION).delete()
    content = content_of(request)
    try:
        with transaction.atomic():
            return IdempotentAnswer.objects.create(
                user_id=user_id,
                key=key,
                request_hash=keyed_hash(PURPOSE, content),
                rights=rights_of(request),
            )
    except IntegrityError:
        earlier = mine.first()
    if earlier is None:
        raise Conflict("The first request with this Idempotency-Key has just failed.")
    if earlier.request_hash not in keyed_hashes(PURPOSE, content):
        raise Conflict("This Idempotency-Key was used with another request.")
    if earlier.status is None:
        raise Conflict("The first request with this Idempotency-Key is under way.")
    if not may_read(request, earlier):
        raise NotVisibleNow
    raise Replay(earlier)


def forget_claim(claim: IdempotentAnswer | None) -> None:
    if claim is not None:
        # What went wrong may be the database.
        with suppress(Error):
            claim.delete()


def content_of(request: Request) -> bytes:
    """What makes two requests the same. A body may hold a password."""
    # Another token may be worth less; it is not told what this one was answered.
    asker = getattr(request.auth, "pk", "")
    return f"{asker} {request.get_full_path()}\n".encode() + request._request.body


def rights_of(request: Request) -> dict[str, Any]:
    """The role's rank and the clusters, as the permission class noted them."""
    rights: dict[str, Any] = getattr(request, "rights", {})
    return rights


def may_read(request: Request, earlier: IdempotentAnswer) -> bool:
    """Whether the rights of now reach as far as those of the first request."""
    then, now = earlier.rights, rights_of(request)
    if now.get("rank", 0) < then.get("rank", 0):
        return False
    clusters = now.get("clusters")
    if clusters is None:
        return True
    before = then.get("clusters")
    return before is not None and set(before) <= set(clusters) and leads_on(earlier)


def leads_on(earlier: IdempotentAnswer) -> bool:
    """Whether the requester may see, as of now, what the answer's Location names."""
    location = earlier.headers.get("Location", "")
    try:
        match = resolve(urlsplit(location).path)
    except Resolver404:
        return not location
    rows: QuerySet[Any] = match.func.cls.queryset  # type: ignore[attr-defined]
    return rows.filter(pk=match.kwargs["pk"]).exists()


def store_answer(answer: IdempotentAnswer, response: Response) -> None:
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
