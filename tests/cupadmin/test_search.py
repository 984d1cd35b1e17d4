"""The search and its suggestions: what a term finds, for whom, and how much of it."""

import pytest
from django.urls import reverse

from accounts import users
from cupadmin import views
from cupadmin.search import CONSOLE_USERS
from peers.models import Peer

SEARCH, SUGGESTIONS = reverse("search"), reverse("suggestions")


@pytest.fixture
def ada(administrator, client_of):
    return client_of(administrator)


def titles(answer):
    return {found.title: found for found in answer.context["results"]}


def labels(found):
    return [hit.label for hit in found.hits]


def test_each_kind_has_its_full_count_and_state(ada, cluster_factory, monkeypatch):
    monkeypatch.setattr(views, "MOST_SUGGESTIONS", 2)
    for n in range(3):
        home = cluster_factory(f"graz{n}", health="failed")
        Peer.objects.create(cluster=home, address=f"graz{n}.peer", outcome="warning")
    found = titles(ada.get(SUGGESTIONS, {"q": "graz"}))
    assert (found["Clusters"].count, found["Clusters"].more) == (3, 1)
    assert found["Clusters"].hits[0].outcome == "failed"
    assert found["Peers"].hits[0].outcome == "warning"
    assert labels(found["Nodes"])[0].startswith("graz0-pub")
    text = ada.get(SUGGESTIONS, {"q": "graz"}).content.decode()
    assert "2 of 3" in text and "All results for" in text


def test_search_page_says_how_much_there_is(ada, cluster_factory, monkeypatch):
    monkeypatch.setattr(views, "MOST_RESULTS", 2)
    for n in range(3):
        cluster_factory(f"graz{n}")
    assert "2 of 3" in ada.get(SEARCH, {"q": "graz"}).content.decode()


def test_without_a_term_actions_are_offered(ada):
    found = titles(ada.get(SUGGESTIONS))
    assert set(found) == {"Actions"} and "Add cluster" in labels(found["Actions"])


def test_pages_actions_and_users_are_found_by_role(ada, viewer, client_of):
    found = titles(ada.get(SUGGESTIONS, {"q": "er"}))
    assert "Users" in labels(found["Pages"])
    assert "Add cluster" in labels(found["Actions"])
    assert labels(found[CONSOLE_USERS]) == ["vera"]
    seen = titles(client_of(viewer).get(SUGGESTIONS, {"q": "er"}))
    assert "Users" not in labels(seen["Pages"])
    assert "Actions" not in seen
    assert CONSOLE_USERS not in seen


def test_limited_administrator_finds_no_users_and_no_other_clusters(
    ada, administrator, cluster_factory
):
    mine, other = cluster_factory("graz1"), cluster_factory("graz2")
    users.limit_user(administrator, [str(mine.pk)])
    found = titles(ada.get(SUGGESTIONS, {"q": "graz"}))
    assert labels(found["Clusters"]) == [mine.name] and found["Clusters"].count == 1
    assert other.name not in ada.get(SUGGESTIONS, {"q": "graz"}).content.decode()
    assert CONSOLE_USERS not in titles(ada.get(SUGGESTIONS, {"q": "ada"}))


def test_nothing_found_is_said_beside_the_directory(ada):
    answer = ada.get(SEARCH, {"q": "jdoe"})
    assert answer.context["nothing"] and "Find user" in answer.content.decode()
    assert not ada.get(SEARCH, {"q": "ada"}).context["nothing"]


def test_users_of_clusters_are_sought_in_the_directory(ada):
    found = titles(ada.get(SUGGESTIONS, {"q": "jdoe@x"}))
    [hit] = found["Directory"].hits
    assert set(found) == {"Directory"}
    assert hit.url == f"{reverse('directory:locate')}?user=jdoe%40x"
