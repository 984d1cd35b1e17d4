"""What users of several clusters share is seen, whether they are peers or not."""

import pytest

from diagnostics.shared_users import shared_users
from tests.directory.conftest import has, of, own_folder

__all__ = ["has", "own_folder"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pair(has, cluster_factory):
    return cluster_factory("bergen"), cluster_factory("oslo")


def test_a_user_of_two_clusters_is_found_in_any_case(pair, has):
    one, other = pair
    has(one, *of(one, "Bob", "ada"))
    has(other, *of(other, "bob", "eve"))
    shared, unread = shared_users()
    assert (shared["userid"].value, unread) == (("bob",), ())


def test_who_is_twice_on_one_cluster_is_not_of_two(pair, has):
    one, other = pair
    has(one, *of(one, "ada", "ada"))
    has(other, *of(other, "eve"))
    assert shared_users()[0]["userid"].value == ()


def test_the_age_is_that_of_the_oldest_snapshot(pair, has):
    one, other = pair
    old = has(one, *of(one, "ada"), minutes=90)
    has(other, *of(other, "eve"))
    assert shared_users()[0]["mail_id"].at == old.taken_at


def test_a_cluster_that_was_not_read_is_named(pair, has):
    one, _ = pair
    has(one, *of(one, "ada"))
    assert shared_users()[1] == ("oslo",)


def test_without_any_snapshot_nothing_is_known(pair):
    assert shared_users() == ({}, ("bergen", "oslo"))
