import pytest

from directory import duplicates
from directory.addresses import valid_uri
from directory.ownership import Directory
from tests.directory.conftest import of


def found(*kinds):
    return duplicates.find_duplicates(Directory(), *kinds)


def test_a_user_id_on_two_clusters_is_a_duplicate_in_any_case(pair, has):
    home, remote, _ = pair
    has(home, *of(home, "Bob", "ada"), *of(remote, "bob"))
    has(remote, *of(remote, "bob", "eve"))
    (one,) = found("userid")
    assert [h.listing.cluster.name for h in one.holders] == ["bergen", "oslo"]


def test_copies_are_no_duplicates(pair, has):
    home, remote, _ = pair
    has(home, *of(home, "ada"), *of(remote, "bob"))
    has(remote, *of(remote, "bob"), *of(home, "ada"))
    assert found(*duplicates.SHARED) == []


@pytest.mark.parametrize("kind", ["directory_uri", "mail_id"])
def test_an_address_of_two_users_of_one_cluster_is_a_duplicate(pair, has, kind):
    home, _, _ = pair
    ada, bob = of(home, "ada", "bob")
    has(home, ada, bob._replace(**{kind: ada.value(kind).upper()}))
    (one,) = found(*duplicates.SHARED)
    assert one.kind == kind
    assert {h.user.userid for h in one.holders} == {"ada", "bob"}


def test_empty_values_equal_nothing(pair, has):
    home, _, _ = pair
    has(
        home,
        *(u._replace(mail_id=" ") for u in of(home, "ada", "bob")),
    )
    assert found(*duplicates.SHARED) == []


def test_an_enabled_user_without_a_node_counts_and_a_disabled_one_does_not(pair, has):
    home, remote, _ = pair
    ada, bob = of(home, "ada", "bob")
    waiting = ada._replace(node="")
    disabled = bob._replace(node="", enabled=False)
    has(home, waiting, disabled)
    has(remote, *of(remote, "ada", "bob"))
    assert [one.value for one in found("userid")] == ["ada"]


def test_more_than_ten_are_listed_completely(pair, has):
    home, remote, _ = pair
    ids = [f"user{n:03}" for n in range(250)]
    has(home, *of(home, *ids))
    has(remote, *of(remote, *ids))
    assert [one.userid for one in found("userid")] == ids


def test_empty_and_invalid_uris_have_lists_of_their_own(pair, has):
    home, _, _ = pair
    ada, bob, eve = of(home, "ada", "bob", "eve")
    none = bob._replace(directory_uri="")
    wrong = eve._replace(directory_uri="eve at home")
    has(home, ada, none, wrong)
    lists = [found(kind) for kind in ("empty_uri", "invalid_uri")]
    assert [[one.userid for one in few] for few in lists] == [["bob"], ["eve"]]


@pytest.mark.parametrize(
    "uri", ["ada@example.com", "sip:a.d+a@10.1.2.3", "o'neil@x-1.example"]
)
def test_a_uri_may_look_so(uri):
    assert valid_uri(uri)


@pytest.mark.parametrize(
    "uri", ["ada", "a b@x.com", "ada@", "@x.com", "a@b@c", "ä@x.com", "a@-x.com"]
)
def test_a_uri_may_not_look_so(uri):
    assert not valid_uri(uri)
