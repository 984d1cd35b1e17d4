"""Filters by field and ordering; what is not declared is refused."""

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.views import APIView

PAGING = frozenset({"limit", "offset", "ordering"})


class StrictFilters(DjangoFilterBackend):  # type: ignore[misc]
    """Filters by declared fields; an unknown parameter is a 400, never ignored."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        filters = self.get_filterset(request, queryset, view)
        names = set(filters.filters) if filters is not None else set()
        extra = set(getattr(view, "extra_parameters", ()))
        unknown = set(request.query_params) - names - PAGING - extra
        if unknown:
            raise ValidationError(
                {name: ["There is no such filter."] for name in sorted(unknown)}
            )
        for name, value in request.query_params.items():
            if "\0" in value:
                raise ValidationError({name: ["NUL is not allowed."]})
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


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
