"""Presence domains and IM address schemes, by what was entered and what users show."""

import pytest

from clusters.models import AddressScheme, Cluster
from diagnostics.addressing import scheme_of, scheme_of_users
from diagnostics.answers import Answer
from diagnostics.collect import gather_facts
from diagnostics.facts import ImAddress
from diagnostics.judge.sections import judge_facts
from diagnostics.node_addresses import clusters_of
from diagnostics.results_store import record_cluster
from tests.diagnostics.healthy import NOW, cluster, facts, failure

URI, USER = AddressScheme.DIRECTORY_URI.value, AddressScheme.USER_ID.value
OWN, STRANGE = "cup1-1.example.com", "cup2-1.example.com"


def user(address, uri, node=OWN, userid="anna"):
    return ImAddress(userid, address, uri, node)


BY_URI = user("anna.b@mail.example", "Anna.B@mail.example")
BY_ID = user("anna@example.com", "anna.b@mail.example")
NEITHER = user("anna@example.com", "anna@example.com")


@pytest.mark.parametrize(
    ("one", "scheme"),
    [
        (BY_URI, URI),
        (BY_ID, USER),
        (NEITHER, ""),
        (user("anna@mail@example.com", "", userid="anna@mail"), USER),
        (user("", ""), ""),
        (user("anna", "anna"), URI),
        (user("@", "x@y", userid=""), ""),
        (user("somebody@else", "anna@example.com"), ""),
    ],
)
def test_an_address_shows_one_scheme_or_none(one, scheme):
    assert scheme_of(one) == scheme


@pytest.mark.parametrize(
    ("users", "scheme"),
    [
        ([BY_ID, NEITHER], USER),
        ([BY_ID, BY_URI], ""),
        ([NEITHER], ""),
        ([], ""),
        # Users of other clusters show nothing of this one.
        ([BY_URI, user("anna@x", "b@y", STRANGE)], URI),
    ],
)
def test_all_of_the_clusters_own_users_must_agree(users, scheme):
    assert scheme_of_users(cluster(1, 2, im_addresses=Answer(tuple(users)))) == scheme


def outcomes(code, one, two):
    given = facts(one=cluster(1, 2, **one), two=cluster(2, 1, **two))
    return {f.verdict.outcome.value for f in judge_facts(given) if f.test.code == code}


UNKNOWN = {"address_scheme": "", "im_addresses": Answer(())}
NEW = UNKNOWN | {"version": Answer("14.0.1.10000-1"), "generation": "imp"}


@pytest.mark.parametrize(
    ("one", "two", "outcome"),
    [
        ({"address_scheme": URI}, {"address_scheme": URI}, "passed"),
        ({"address_scheme": URI}, {"address_scheme": USER}, "warning"),
        ({"address_scheme": USER}, {"im_addresses": Answer((BY_ID,))}, "information"),
        ({"address_scheme": URI}, {}, "information"),
        ({}, {}, "information"),
        ({"address_scheme": URI}, {"im_addresses": failure("fault")}, "information"),
    ],
)
def test_address_schemes_of_a_peering(one, two, outcome):
    # The user of the third case is of another cluster.
    assert outcomes("same_address_scheme", NEW | one, NEW | two) == {outcome}


def test_an_old_release_has_one_scheme():
    old = UNKNOWN | {"version": Answer("8.6.5.10000(12)")}
    assert outcomes("same_address_scheme", old, old) == {"passed"}
    new = NEW | {"address_scheme": URI}
    assert outcomes("same_address_scheme", old, new) == {"warning"}


def test_the_schemes_that_users_show_are_compared():
    displayed = {"im_addresses": Answer((BY_URI,))}
    theirs = Answer((user("anna@x", "b@y", STRANGE),))
    assert outcomes(
        "same_address_scheme", NEW | displayed, NEW | {"im_addresses": theirs}
    ) == {"warning"}


@pytest.mark.parametrize(
    ("domain", "outcome"),
    [
        ("EXAMPLE.com.", "passed"),
        ("", "information"),
        ("other.example.com", "warning"),
    ],
)
def test_presence_domains_of_a_peering(domain, outcome):
    assert outcomes("same_domain", {}, {"domain": domain}) == {outcome}


@pytest.mark.parametrize(
    ("stated", "users", "outcome"),
    [
        (USER, (BY_URI,), {"warning"}),
        (URI, (BY_URI,), {"passed"}),
        (URI, (NEITHER,), {"information"}),
    ],
)
def test_users_who_follow_another_scheme_than_stated(stated, users, outcome):
    one = {"address_scheme": stated, "im_addresses": Answer(users)}
    assert outcomes("stated_address_scheme", one, UNKNOWN) == outcome


@pytest.mark.django_db
def test_what_users_show_is_kept_and_a_failure_keeps_what_was_known(cluster_factory):
    row = cluster_factory("Madrid")

    def known_after(answer):
        one = cluster(1, 2, id=str(row.pk), im_addresses=answer)
        record_cluster(one, facts())
        row.refresh_from_db()
        return row.inferred_scheme

    assert known_after(Answer((BY_URI,))) == URI
    assert known_after(failure("timeout")) == URI
    assert row.inferred_scheme_at == NOW
    assert known_after(Answer((NEITHER,))) == ""


@pytest.fixture
def database(mesh_lab):
    """The first cluster's, whose users get back their addresses."""
    database = mesh_lab.clusters[0].database
    yield database
    database.execute("UPDATE enduser SET imaddress = replace(imaddress, 'x.', '')")
    database.execute("UPDATE enduser SET directoryuri = imaddress")


def test_a_run_reads_what_the_users_of_a_cluster_show(registered, database):
    database.execute("UPDATE enduser SET imaddress = 'x.' || directoryuri")
    database.execute("UPDATE enduser SET directoryuri = imaddress")
    found = gather_facts(clusters_of(Cluster.objects.all()), (), deep=True)
    schemes = [scheme_of_users(one) for one in found.clusters.values()]
    assert schemes == [URI, ""]
