"""Saved views of lists, and hidden columns."""

import re

import pytest
from django.urls import reverse

from jobs.models import Job
from services.models import Service
from tests.security.world import snapshot
from ui.lists import LISTS
from ui.models import SavedView

FIND, JOBS = reverse("peers:find"), reverse("jobs:find")
SAVE = reverse("ui:save_view")
QUERY = "field=status&operator=exact&value=failed&sort=-checked_at"
PEERS = {"list": "peers:find"}


@pytest.fixture
def vera(viewer, client_of):
    return client_of(viewer)


@pytest.fixture
def ada(administrator, client_of):
    return client_of(administrator)


def escaped(text):
    return text.replace("&", "&amp;")


def test_saved_view_is_a_link_beside_its_list(vera):
    query = QUERY + "&after=abc&select=all&page=3"
    vera.post(SAVE, {**PEERS, "name": "Broken ones", "query": query})
    assert escaped(f"{FIND}?{QUERY}") in vera.get(FIND).content.decode()
    assert "Broken ones" not in vera.get(JOBS).content.decode()


@pytest.mark.parametrize("name", LISTS)
def test_each_list_offers_its_own_view(ada, cluster_factory, name, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    snapshot("abc", cluster_factory("abc"))
    text = ada.get(f"{reverse(name)}?q=x&page=1").content.decode()
    assert f'name="list" value="{name}"' in text
    ada.post(SAVE, {"list": name, "name": "mine", "query": "q=x"})
    assert SavedView.objects.get().get_absolute_url() == f"{reverse(name)}?q=x"
    for label in LISTS[name][1:]:
        assert f"> {label}</label>" in text


@pytest.mark.parametrize("name", [name for name, columns in LISTS.items() if columns])
def test_table_has_the_columns_in_this_order(ada, name, lists_with_rows):
    """What is hidden by its place must be what its label says."""
    text = ada.get(f"{reverse(name)}?hide=3&hide=1&hide=99&hide=x").content.decode()
    head = text[text.index("<thead>") : text.index("</thead>")]
    shift = "col-select" in head
    assert f'class="table hide-{3 + shift}"' in text
    found = re.findall(r"<th\b[^>]*>(.*?)</th>", head, re.DOTALL)[shift:]
    assert len(found) == len(LISTS[name])
    for cell, label in zip(found, LISTS[name], strict=True):
        assert label.casefold() in cell.casefold()


@pytest.fixture
def lists_with_rows(cluster_factory, peer_factory):
    home, remote = cluster_factory(), cluster_factory()
    peer_factory(home, remote)
    Job.objects.submit("test-cluster", [], target=home)
    Service.objects.create(node=home.publisher, name="Cisco UP", status="started")


def test_same_name_replaces(vera):
    for query in ("value=a", "value=b"):
        vera.post(SAVE, {**PEERS, "name": "mine", "query": query})
    assert SavedView.objects.get().query == "value=b"


@pytest.mark.parametrize(
    "data", [{"name": " "}, {"name": "x", "query": "value=" + "y" * 2_000}]
)
def test_what_cannot_be_saved_is_said(vera, data):
    assert vera.post(SAVE, {**PEERS, **data}, follow=True).status_code == 200
    assert not SavedView.objects.exists()


def test_other_pages_have_no_views(vera):
    assert vera.post(SAVE, {"list": "home", "name": "x"}).status_code == 404


def test_views_are_ones_own(vera, operator, client_of):
    vera.post(SAVE, {**PEERS, "name": "mine", "query": QUERY})
    url = reverse("ui:delete_view", args=[SavedView.objects.get().pk])
    other = client_of(operator)
    assert other.post(url).status_code == 404
    assert "mine" not in other.get(FIND).content.decode()
    vera.post(url)
    assert not SavedView.objects.exists()
