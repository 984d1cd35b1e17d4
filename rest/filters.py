"""Filters by field and ordering; what is not declared is refused."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import QuerySet
from django_filters import BooleanFilter
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.views import APIView

_built: dict[tuple[Any, ...], Any] = {}
BOOLEANS = ("true", "false", "1", "0")
PAGING = frozenset({"limit", "offset", "ordering"})


class StrictFilters(DjangoFilterBackend):  # type: ignore[misc]
    """Filters by declared fields; an unknown parameter is a 400, never ignored."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        filterset = self.get_filterset(request, queryset, view)
        names = set(filterset.filters) if filterset is not None else set()
        extra = set(getattr(view, "extra_parameters", ()))
        refuse_unknown(request, names | PAGING | extra)
        for name, value in request.query_params.items():
            if "\0" in value:
                raise ValidationError({name: ["NUL is not allowed."]})
        if filterset is None:
            return queryset
        refuse_empty(request, names)
        refuse_non_booleans(request, filterset.filters)
        if not filterset.is_valid():
            raise translate_validation(filterset.errors)
        filtered: QuerySet[Any] = filterset.qs
        return filtered

    def get_filterset_class(self, view: APIView, queryset: Any = None) -> Any:
        """Build the class of a view's fields once, not for each request."""
        key = (type(view), tuple(getattr(view, "filterset_fields", ())))
        if getattr(view, "filterset_class", None) or not key[1]:
            return super().get_filterset_class(view, queryset)
        if key not in _built:
            _built[key] = super().get_filterset_class(view, queryset)
        return _built[key]


def refuse_unknown(request: Request, known: Collection[str] = ()) -> None:
    """Refuse a parameter that a view without filters does not know."""
    if unknown := set(request.query_params) - set(known):
        sentence = ["There is no such filter."]
        raise ValidationError(dict.fromkeys(sorted(unknown), sentence))


def refuse_empty(request: Request, names: Collection[str]) -> None:
    """Refuse a filter without a value: a script that lost an id would find all rows."""
    empty = [name for name in names if request.query_params.get(name) == ""]
    if empty:
        sentence = ["Give a value, or leave the filter out."]
        raise ValidationError(dict.fromkeys(sorted(empty), sentence))


def refuse_non_booleans(request: Request, filters: Mapping[str, Any]) -> None:
    """Refuse what is neither true nor false: the filter itself would find all rows."""
    for name, one in filters.items():
        given = request.query_params.get(name, "")
        boolean = isinstance(one, BooleanFilter)
        if boolean and given and given.lower() not in BOOLEANS:
            raise ValidationError({name: ["Say true or false."]})


class Ordering(OrderingFilter):
    """`ordering=name` or `-name`, over declared fields only; the id breaks ties."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        ordering = self.get_ordering(request, queryset, view)
        if not ordering:
            return queryset
        return queryset.order_by(*ordering, "pk")

    def remove_invalid_fields(
        self, queryset: Any, fields: Any, view: APIView, request: Request
    ) -> list[str]:
        valid = set(getattr(view, "ordering_fields", ()))
        unknown = [name for name in fields if name.lstrip("-") not in valid]
        if unknown:
            raise ValidationError({"ordering": [f"Cannot order by {unknown[0]}."]})
        return list(fields)
