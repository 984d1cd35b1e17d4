"""From a judgement's fix to the address of the page that fixes the problem."""

from functools import lru_cache

from django.urls import NoReverseMatch, reverse


@lru_cache(maxsize=4096)
def url_of(view: str, pk: str = "", query: str = "", field: str = "") -> str:
    """Return the page's address, or nothing when this release has no such page.

    A browser gives the focus to the field that the fragment names.
    """
    try:
        url = reverse(view, args=[pk] if pk else [])
    except NoReverseMatch:
        return ""
    url = f"{url}?{query}" if query else url
    return f"{url}#id_{field}" if field else url
