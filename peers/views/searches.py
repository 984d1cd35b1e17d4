"""Presence > Inter-Clustering: one's saved searches."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect

from accounts.access import access
from accounts.http import Request
from accounts.roles import Role
from peers.models import SavedSearch

KEPT = ("field", "operator", "value", "sort", "rows")
MOST = 50


@access(post=Role.VIEWER)
def save(request: Request) -> HttpResponse:
    """Keep the search of the page under a name; the same name replaces it."""
    name = request.POST.get("name", "").replace("\0", "").strip()[:60]
    query = tidy(request.POST.get("query", ""))
    mine = SavedSearch.objects.filter(user=request.user)
    if not name:
        messages.error(request, "Give the search a name.")
    elif len(query) > 2000:
        messages.error(request, "The search is too long to be saved.")
    elif mine.exclude(name=name).count() >= MOST:
        messages.error(request, f"You have {MOST} saved searches; forget one first.")
    else:
        found, _ = mine.update_or_create(
            user=request.user, name=name, defaults={"query": query}
        )
        messages.success(request, f"The search {name} was saved.")
        return redirect(found)
    return redirect("peers:find")


def tidy(query: str) -> str:
    """What makes a search out of a query string; the place of a page does not."""
    given, kept = QueryDict(query.replace("\0", "")[:5000]), QueryDict(mutable=True)
    for name in KEPT:
        kept.setlist(name, given.getlist(name))
    return kept.urlencode()


@access(post=Role.VIEWER)
def delete(request: Request, pk: int) -> HttpResponse:
    search = get_object_or_404(SavedSearch, pk=pk, user=request.user)
    search.delete()
    messages.success(request, f"The search {search} was forgotten.")
    return redirect("peers:find")
