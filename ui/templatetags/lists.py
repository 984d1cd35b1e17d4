"""Saved views and hidden columns, around the table of any list."""

from typing import Any

from django import template

from ui.lists import EXPORTED, LISTS, hidden_columns, tidy_query
from ui.models import SavedView

register = template.Library()


@register.simple_tag(takes_context=True)
def column_classes(context: template.Context, before: bool = False) -> str:
    """The classes of a table that hide the columns a person does not want.

    Args:
        before: whether a column of check boxes stands before the others.
    """
    request = context["request"]
    hidden = hidden_columns(request.resolver_match.view_name, request.GET)
    return "".join(f" hide-{number + bool(before)}" for number in sorted(hidden))


@register.inclusion_tag("components/_views.html", takes_context=True)
def list_views(
    context: template.Context, form: str = "filters", live: bool = False
) -> dict[str, Any]:
    """One's saved views of the list, and what hides its columns.

    Args:
        form: the id of the form that filters the list; the columns go with it.
        live: the list is replaced without the page, and says itself what it shows.
    """
    request = context["request"]
    name = request.resolver_match.view_name
    hidden = hidden_columns(name, request.GET)
    return {
        "views": SavedView.objects.filter(user=request.user, list=name),
        "list": name,
        "query": "" if live else tidy_query(request.GET.urlencode()),
        "live": live,
        # The first says what a row is about, so it stays.
        "columns": [
            {"number": number, "label": label, "hidden": number in hidden}
            for number, label in enumerate(LISTS[name], 1)
        ][1:],
        "hidden": len(hidden),
        "csv": name in EXPORTED,
        "request": request,
        "form": form,
        "csrf_token": context.get("csrf_token"),
    }
