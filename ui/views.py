"""One's saved views of lists."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from accounts.access import access
from accounts.http import Request
from accounts.roles import Role
from ui.lists import LISTS, LONGEST_QUERY, tidy_query
from ui.models import SavedView

# Of one person, for one list.
MOST_VIEWS = 50


@access(post=Role.VIEWER)
def save_view(request: Request) -> HttpResponse:
    """Keep the view of a list under a name; the same name replaces it."""
    of = request.POST.get("list", "")
    if of not in LISTS:
        raise Http404
    name = request.POST.get("name", "").replace("\0", "").strip()[:60]
    query = tidy_query(request.POST.get("query", ""))
    mine = SavedView.objects.filter(user=request.user, list=of)
    if not name:
        messages.error(request, "Give the view a name.")
    elif len(query) > LONGEST_QUERY:
        messages.error(request, "The search is too long to be saved.")
    elif mine.exclude(name=name).count() >= MOST_VIEWS:
        messages.error(request, f"You have {MOST_VIEWS} saved views; delete one first.")
    else:
        found, _ = mine.update_or_create(
            user=request.user, list=of, name=name, defaults={"query": query}
        )
        messages.success(request, f"The view {name} was saved.")
        return redirect(found)
    return redirect(of)


@access(post=Role.VIEWER)
def delete_view(request: Request, pk: int) -> HttpResponse:
    view = get_object_or_404(SavedView, pk=pk, user=request.user)
    view.delete()
    messages.success(request, f"The view {view} was deleted.")
    return redirect(view.list)
