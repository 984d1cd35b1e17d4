import csv
import io

import pytest
from django.urls import reverse

from accounts.cluster_limits import Limit, limited_to
from directory import orphans
from directory.columns import User
from directory.home_nodes import HomeNodes
from directory.locator import candidate_users, locate_user
from directory.ownership import Directory
from tests.directory.conftest import of

ROOT = "/api/v1/directory/leftovers/"


@pytest.fixture
def left(pair, has):
    """Bergen's users are still on oslo, where no peer points to bergen any more."""
    home, remote, peer = pair
    peer.delete()
    has(home, *of(home, "ada"), *of(remote, "bob", "Eve"))
    has(remote, *of(remote, "bob"))
    return home, remote


def stray(cluster):
    (user,) = of(cluster, "stray")
    return user._replace(node="node.that.nobody.knows")


def found():
    return [
        (one.cluster.name, one.remote_name, [user.userid for user in one.found()])
        for one in orphans.find_leftovers(Directory())
    ]


def test_users_of_a_cluster_without_a_peer_are_found(left):
    assert found() == [("oslo", "bergen", ["bob", "Eve"])]


def test_users_of_a_peer_are_not(pair, has):
    home, remote, _ = pair
    has(home, *of(home, "ada"), *of(remote, "bob", "old"))
    has(remote, *of(remote, "bob"))
    assert found() == []


def test_a_user_without_a_node_is_nobodys(pair, has):
    home, _, _ = pair
    has(home, *(user._replace(node="") for user in of(home, "ada")))
    assert found() == []


def test_a_node_that_nobody_knows_is_no_managed_clusters(pair, has):
    home, remote, _ = pair
    has(home, stray(home))
    has(remote)
    assert found() == [("oslo", "no managed cluster", ["stray"])]


def test_a_node_that_is_not_listed_is_no_evidence_of_leftovers(pair, has):
    home, remote, _ = pair
    has(home, stray(home)._replace(node=HomeNodes()["2802"]))
    has(remote)
    assert found() == []


def test_an_unknown_node_may_be_a_peers_that_was_never_read(pair, has):
    home, _, _ = pair
    has(home, stray(home))
    assert found() == []


def test_an_unknown_node_may_be_a_peers_that_is_not_managed(pair, has):
    home, remote, peer = pair
    type(peer).objects.filter(pk=peer.pk).update(remote_cluster=None)
    has(home, stray(home))
    has(remote)
    assert found() == []


def test_an_unknown_node_may_be_a_hidden_clusters(pair, has):
    home, remote, _ = pair
    has(home, stray(home))
    has(remote)
    with limited_to(Limit(frozenset({home.pk, remote.pk}))):
        assert found() == []


def test_the_locator_says_that_there_is_no_peering(left):
    directory = Directory()
    located = locate_user(directory, *candidate_users(directory, "bob"))
    (view,) = (one for one in located.views if one.cluster.name == "oslo")
    assert (view.state, view.outcome) == ("leftover", "failed")
    assert "bergen" in view.sentence
    assert located.seen == 0


def test_the_comparison_leads_to_them(left, client_of, viewer):
    client = client_of(viewer)
    url = reverse("directory:leftovers")
    assert url in client.get(reverse("directory:comparisons")).content.decode()
    text = client.get(url).content.decode()
    assert f"cluster={left[0].pk}" in text and f"remote={left[1].pk}" in text


def test_their_page_lists_and_finds_them(left, client_of, viewer):
    query = {"cluster": left[0].pk, "remote": left[1].pk}
    client, url = client_of(viewer), reverse("directory:leftovers")
    text = client.get(url, query).content.decode()
    assert ">bob</a>" in text and ">Eve</a>" in text
    assert "Nobody found" in client.get(url, query | {"q": "zz"}).content.decode()


def test_they_are_downloaded_as_safe_csv(pair, has, client_of, viewer):
    home, remote, peer = pair
    peer.delete()
    has(home, User("=cmd()", "", "", "", remote.publisher.name))
    query = {"cluster": home.pk, "remote": remote.pk, "format": "csv"}
    answer = client_of(viewer).get(reverse("directory:leftovers"), query)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1][0] == "'=cmd()"


@pytest.mark.parametrize("query", [{"cluster": "x"}, {"cluster": "\0", "remote": "'"}])
def test_who_is_not_there_any_more_leads_back(db, client_of, viewer, query):
    url = reverse("directory:leftovers")
    answer = client_of(viewer).get(url, query, follow=True)
    assert answer.redirect_chain == [(url, 302)]
    assert "any more" in answer.content.decode()


def test_nothing_left_says_so(pair, has, client_of, viewer):
    client = client_of(viewer)
    url = reverse("directory:leftovers")
    assert client.get(url).context["page_obj"].paginator.count == 0
    page = client.get(reverse("directory:comparisons"))
    assert page.context["leftovers"] == 0
    assert url not in page.content.decode()


def test_rest_lists_them_in_pages(left, api, viewer):
    client = api(viewer)
    first = client.get(ROOT, {"limit": 1}).json()
    second = client.get(first["next"]).json()
    both = [page["results"][0] for page in (first, second)]
    assert [one["userid"] for one in both] == ["bob", "Eve"]
    assert (first["count"], second["next"]) == (2, None)
    assert both[0]["remote_cluster"] == str(left[1].pk)


def test_rest_filters_them(left, api, viewer):
    client = api(viewer)
    home, remote = (str(one.pk) for one in left)
    for query, count in [
        ({"cluster": home}, 2),
        ({"cluster": remote}, 0),
        ({"remote_cluster": remote}, 2),
        ({"remote_cluster": home}, 0),
        ({"search": "EV"}, 1),
    ]:
        assert client.get(ROOT, query).json()["count"] == count, query
    assert client.get(ROOT, {"who": "bob"}).status_code == 400
    assert client.get(ROOT, {"cluster": "x"}).status_code == 400
