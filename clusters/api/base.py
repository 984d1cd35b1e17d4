"""What the three viewsets have in common."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model
from rest_framework import viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer

from accounts import audit
from accounts.audit import Actor
from accounts.roles import Role
from base.revisions import Revised
from jobs.api import busy_conflict
from jobs.locks import Busy
from rest.etags import EtagMixin
from rest.idempotency import IdempotentMixin
from rest.problems import Conflict
from wire import WireError

M = TypeVar("M", bound=Model)
T = TypeVar("T")

EDITS = {
    "list": Role.VIEWER,
    "retrieve": Role.VIEWER,
    "create": Role.ADMINISTRATOR,
    "update": Role.ADMINISTRATOR,
    "partial_update": Role.ADMINISTRATOR,
    "destroy": Role.ADMINISTRATOR,
}


class Unreachable(Conflict):
    """409: the node itself did not answer as it should; `code` says how."""

    default_code = "unreachable"


class JustSaved(Conflict):
    """409: somebody saved the same since the rules were asked."""

    def __init__(self) -> None:
        super().__init__("Somebody has just saved the same.")


class EditableViewSet(IdempotentMixin, EtagMixin, viewsets.ModelViewSet[M]):
    """Rows that administrators edit; subclasses say how one is stored."""

    row: Any = None
    # What tells one row from another, besides the id.
    key: tuple[str, ...]
    # The fields that complain when it is there already.
    unique_fields: frozenset[str]

    @property
    def actor(self) -> Actor:
        return audit.actor_of(self.request)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        if not serializer.is_valid():
            self.refuse_twin(serializer)
        serializer.is_valid(raise_exception=True)
        try:
            body = self.attempt(lambda: self.store(serializer))
        except JustSaved as error:
            if twin := self.twin_of(serializer):
                error.extra["existing"] = str(twin.pk)
            raise
        return Response(body, status=201, headers={"Location": self.location()})

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        partial = kwargs.get("partial", False)
        row = self.get_object()
        serializer = self.get_serializer(row, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return Response(self.attempt(lambda: self.store(serializer)))

    def refuse_twin(self, serializer: BaseSerializer[M]) -> None:
        """Say 409 with its id where all that is wrong is that the row is there already.

        So a playbook may add what it wants, and take 201 and 409 for done.
        """
        if not set(serializer.errors) <= self.unique_fields:
            return
        if twin := self.twin_of(serializer):
            detail = f"There is {twin} already."
            raise Conflict(detail, existing=str(twin.pk), errors=serializer.errors)

    def twin_of(self, serializer: BaseSerializer[M]) -> M | None:
        """The row that has already what tells one row from another."""
        requested = {name: serializer.initial_data.get(name) for name in self.key}
        if not all(isinstance(value, str) and value for value in requested.values()):
            return None
        requested[f"{self.key[-1]}__iexact"] = requested.pop(self.key[-1]).strip()
        try:
            return self.get_queryset().filter(**requested).first()
        except (ValidationError, ValueError):
            return None

    def store(self, serializer: BaseSerializer[M]) -> Any:
        """Save the candidate and return the answer; `row` becomes what was saved."""
        raise NotImplementedError

    def attempt(self, change: Callable[[], T]) -> T:
        """Do it, and say a conflict as one."""
        try:
            with transaction.atomic():
                return change()
        except Busy as error:
            raise busy_conflict(error) from error
        except IntegrityError as error:
            raise JustSaved from error

    def attempt_deletion(self, row: Revised, change: Callable[[], T]) -> T:
        """Do it to the revision that If-Match named, or raise Stale."""

        def change_held() -> T:
            row.hold_revision()
            return change()

        return self.attempt(change_held)

    def location(self) -> str:
        name = f"api:{self.basename}-detail"
        return reverse(name, args=[self.row.pk], request=self.request)


def unreachable_problem(error: WireError) -> Unreachable:
    return Unreachable(f"{error.message} {error.remedy}".strip(), code=error.code)
