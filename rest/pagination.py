"""Pages of a list: `limit` and `offset`, clamped."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

LARGEST_OFFSET = 10**9


class Pagination(LimitOffsetPagination):
    """50 rows, 500 at most; a limit or offset that is no number is an error."""

    default_limit = 50
    max_limit = 500

    def get_limit(self, request: Request) -> int:
        given = whole_number(request, self.limit_query_param, self.default_limit)
        return min(max(given, 1), self.max_limit)

    def get_offset(self, request: Request) -> int:
        given = whole_number(request, self.offset_query_param, 0)
        return min(given, LARGEST_OFFSET)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The library's, with the null of OpenAPI 3.1 at either end of the list."""
        described = super().get_paginated_response_schema(schema)
        for name in ("next", "previous"):
            link = described["properties"][name]
            if link.pop("nullable", False):
                link["type"] = ["string", "null"]
        described["required"] = [*described["properties"]]
        return described


def whole_number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    # isdecimal alone also takes the digits of other scripts.
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise ValidationError({name: ["This is not a whole number."]})
    return int(text)
