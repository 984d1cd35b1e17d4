import pytest
from django.urls import reverse

from peers.models import SavedSearch

FIND, SAVE = reverse("peers:find"), reverse("peers:save_search")
QUERY = "field=status&operator=exact&value=failed&sort=-checked_at"


@pytest.fixture
def vera(viewer, client_of):
    return client_of(viewer)


def test_saved_search_is_a_link_beside_find(vera):
    vera.post(SAVE, {"name": "Failed", "query": QUERY + "&after=abc&select=all"})
    assert f"{FIND}?{QUERY}".replace("&", "&amp;") in vera.get(FIND).content.decode()


def test_the_page_offers_its_own_search(vera):
    text = vera.get(f"{FIND}?{QUERY}").content.decode()
    assert f'name="query" value="{QUERY.replace("&", "&amp;")}"' in text


def test_same_name_replaces(vera):
    for query in ("value=a", "value=b"):
        vera.post(SAVE, {"name": "mine", "query": query})
    assert SavedSearch.objects.get().query == "value=b"


@pytest.mark.parametrize(
    "data", [{"name": " "}, {"name": "x", "query": "value=" + "y" * 2_000}]
)
def test_what_cannot_be_saved_is_said(vera, data):
    assert vera.post(SAVE, data, follow=True).status_code == 200
    assert not SavedSearch.objects.exists()


def test_searches_are_ones_own(vera, operator, client_of):
    vera.post(SAVE, {"name": "mine", "query": QUERY})
    url = reverse("peers:delete_search", args=[SavedSearch.objects.get().pk])
    other = client_of(operator)
    assert other.post(url).status_code == 404
    assert "mine" not in other.get(FIND).content.decode()
    vera.post(url)
    assert not SavedSearch.objects.exists()
