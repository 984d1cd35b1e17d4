"""From a judgement's fix to the address of the page that mends the problem."""

from functools import lru_cache

from django.urls import NoReverseMatch, reverse


@lru_cache(maxsize=4096)
def url_of(view: str, pk: str = "", query: str = "") -> str:
    """Return the page's address, or nothing when this release has no such page."""
    try:
        url = reverse(view, args=[pk] if pk else [])
    except NoReverseMatch:
        return ""
    return f"{url}?{query}" if query else url
