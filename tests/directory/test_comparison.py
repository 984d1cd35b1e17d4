import pytest

from directory.comparison import ELSEWHERE, EXTRA, MISSING, compare_listings
from directory.home_nodes import HomeNodes
from directory.ownership import Directory
from tests.directory.conftest import of


def compared(peer):
    return compare_listings(Directory(), peer)


def names(result, name):
    return [entry.user.userid for entry in result.entries(name)]


def test_both_sides_alike_pass(pair, has):
    home, remote, peer = pair
    has(home, *of(home, "ada"), *of(remote, "bob", "eve"))
    has(remote, *of(remote, "eve", "bob"))
    result = compared(peer)
    assert (result.outcome, result.home_count, result.remote_count) == ("passed", 2, 2)
    assert [names(result, one) for one in (MISSING, EXTRA, ELSEWHERE)] == [[], [], []]


def test_who_is_missing_and_who_is_extra_is_told_by_name(pair, has):
    home, remote, peer = pair
    has(home, *of(remote, "bob", "old"))
    has(remote, *of(remote, "bob", "new"))
    result = compared(peer)
    assert result.outcome == "failed"
    assert (names(result, MISSING), names(result, EXTRA)) == (["new"], ["old"])
    assert names(result, ELSEWHERE) == []


@pytest.mark.parametrize(("missing", "outcome"), [(0, "unknown"), (1, "failed")])
def test_users_on_a_node_that_is_not_listed_may_be_those_who_are_missing(
    pair, has, missing, outcome
):
    home, remote, peer = pair
    users = of(remote, "bob", "eve")
    has(home, *(user._replace(node=HomeNodes()["2802"]) for user in users))
    has(remote, *users, *of(remote, *["new"][:missing]))
    assert compared(peer).outcome == outcome


def test_a_user_is_the_same_in_any_case(pair, has):
    home, remote, peer = pair
    has(home, *of(remote, "Bob.Öberg"))
    has(remote, *of(remote, "bob.öberg"))
    assert compared(peer).outcome == "passed"


def test_a_copy_on_another_node_than_the_user_is_elsewhere(pair, has):
    home, remote, peer = pair
    names = {"name": "bergen-sub.example.com", "address": "127.66.9.2"}
    remote.nodes.create(role="subscriber", **names)
    (bob,) = of(remote, "bob")
    has(home, bob._replace(node="bergen-sub.example.com"))
    has(remote, bob)
    (entry,) = compared(peer).entries(ELSEWHERE)
    assert (entry.says.node, entry.lives.node) == (
        "bergen-sub.example.com",
        remote.publisher.name,
    )


def test_a_user_who_moved_on_is_extra_and_elsewhere(pair, has, cluster_factory):
    home, remote, peer = pair
    third = cluster_factory("voss")
    has(home, *of(remote, "bob"))
    has(remote)
    has(third, *of(third, "bob"))
    result = compared(peer)
    assert names(result, EXTRA) == names(result, ELSEWHERE) == ["bob"]
    assert result.entries(ELSEWHERE)[0].lives.cluster == "voss"


def test_a_user_shown_as_another_clusters_is_missing_and_elsewhere(
    pair, has, cluster_factory
):
    home, remote, peer = pair
    third = cluster_factory("voss")
    has(home, *of(third, "bob"))
    has(remote, *of(remote, "bob"))
    result = compared(peer)
    assert names(result, MISSING) == names(result, ELSEWHERE) == ["bob"]
    assert result.entries(ELSEWHERE)[0].says.cluster == "voss"


def test_a_change_of_the_last_half_hour_is_a_warning(pair, has):
    home, remote, peer = pair
    has(home, *of(remote, "bob"), minutes=60)
    has(remote, *of(remote, "bob"), minutes=60)
    has(home, *of(remote, "bob"))
    has(remote, *of(remote, "bob", "new"))
    result = compared(peer)
    assert (result.outcome, result.settling) == ("warning", 1)


def test_what_differs_since_longer_is_a_failure(pair, has):
    home, remote, peer = pair
    for minutes in (60, 0):
        has(home, minutes=minutes)
        has(remote, *of(remote, "bob"), minutes=minutes)
    result = compared(peer)
    assert (result.outcome, result.settling) == ("failed", 0)


def test_an_old_snapshot_of_one_cluster_does_not_make_a_failure(pair, has):
    home, remote, peer = pair
    has(home, minutes=300)
    has(remote, minutes=350)
    has(remote, *of(remote, "bob"), minutes=120)
    has(remote, *of(remote, "bob"))
    assert compared(peer).outcome == "warning"


@pytest.mark.parametrize(("tolerance", "outcome"), [(2, "warning"), (1, "failed")])
def test_a_tolerance_makes_few_differences_a_warning(
    pair, has, settings, tolerance, outcome
):
    settings.DIRECTORY_TOLERANCE = tolerance
    home, remote, peer = pair
    has(home)
    has(remote, *of(remote, "bob", "eve"))
    assert compared(peer).outcome == outcome


def test_a_user_without_a_node_does_not_count_on_either_cluster(pair, has):
    home, remote, peer = pair
    (bob,) = of(remote, "bob")
    has(home)
    has(remote, bob._replace(node=""))
    result = compared(peer)
    assert (result.outcome, result.remote_count) == ("passed", 0)


def test_nothing_is_compared_before_both_sides_were_read(pair, has):
    home, remote, peer = pair
    has(home)
    assert compared(peer) is None


def test_a_search_narrows_the_list(pair, has):
    home, remote, peer = pair
    has(home)
    has(remote, *of(remote, "bob", "eve", "bobby"))
    entries = compared(peer).entries(MISSING, "BOB")
    assert [entry.user.userid for entry in entries] == ["bob", "bobby"]


@pytest.mark.parametrize("first", [0, 1])
def test_home_is_that_of_the_users_own_row_and_not_of_a_namesake(
    pair, has, cluster_factory, first
):
    home, remote, peer = pair
    third = cluster_factory("voss")
    rows = [*of(remote, "Bob"), *of(third, "bob")]
    has(home, *of(remote, "bob"))
    has(remote)
    has(third, rows[first], rows[1 - first])
    (entry,) = compared(peer).entries(ELSEWHERE)
    assert (entry.lives.cluster, entry.lives.node) == ("voss", third.publisher.name)
