"""ETag and If-Match for views of revised rows."""

import hashlib
import json
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from base.revisions import Revised, Stale
from rest.problems import PreconditionFailed, PreconditionRequired


def content_etag(data: Any) -> str:
    """The ETag of a row without a revision: a hash of what is read of it."""
    text = json.dumps(data, sort_keys=True, default=str)
    return f'"c-{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def check_if_match(request: Request, etag: str) -> None:
    """Raise 428 without If-Match, 412 when it names another revision."""
    given = request.headers.get("If-Match")
    if not given:
        raise PreconditionRequired
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    if etag not in tags and "*" not in tags:
        raise PreconditionFailed


def shows_row(body: Any, row: Any) -> bool:
    """Whether an answer is the row: of a job or a part, its ETag would say nothing."""
    if row is None or not row.pk or not isinstance(body, dict):
        return False
    return str(body.get("id")) == str(row.pk)


class EtagMixin:
    """Sends ETag with one row and wants If-Match before it changes or deletes one."""

    def etag_of(self, row: Any) -> str:
        revised: Revised = row
        return revised.etag

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final: Response = super().finalize_response(  # type: ignore[misc]
            request, response, *args, **kwargs
        )
        row = getattr(self, "row", None)
        if final.status_code < 300 and shows_row(final.data, row):
            final.headers["ETag"] = self.etag_of(row)
        return final

    def get_object(self) -> Any:
        self.row = super().get_object()  # type: ignore[misc]
        request: Request = self.request  # type: ignore[attr-defined]
        editing = self.action in {"update", "partial_update", "destroy"}  # type: ignore[attr-defined]
        if editing:
            check_if_match(request, self.etag_of(self.row))
        return self.row

    def handle_exception(self, error: Exception) -> Response:
        if isinstance(error, Stale):
            error = PreconditionFailed()
        if isinstance(error, PreconditionFailed):
            error.extra = self.differing_fields()
        response: Response = super().handle_exception(error)  # type: ignore[misc]
        return response

    def differing_fields(self) -> dict[str, Any]:
        """What stands now and what was sent, field by field, for the second of two."""
        rows = self.get_queryset()  # type: ignore[attr-defined]
        row = rows.filter(pk=getattr(self, "row", None) and self.row.pk).first()
        if row is None:
            return {}
        data = self.get_serializer(row).data  # type: ignore[attr-defined]
        return {
            "etag": self.etag_of(row),
            "differences": {
                name: {"current": data[name], "yours": value}
                for name, value in self.sent().items()
                if name in data and data[name] != value
            },
        }

    def sent(self) -> dict[str, Any]:
        try:
            data = self.request.data  # type: ignore[attr-defined]
        except APIException:  # it cannot be read, and that is not what is told here
            return {}
        return data if isinstance(data, dict) else {}
