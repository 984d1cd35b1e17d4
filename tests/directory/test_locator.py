import pytest

from directory.locator import ATTRIBUTES, candidate_users, locate_user
from directory.ownership import Directory
from tests.directory.conftest import of


def located(text):
    directory = Directory()
    (userid, *_) = candidate_users(directory, text)
    return locate_user(directory, userid)


def view_on(found, name):
    return next(view for view in found.views if view.cluster.name == name)


@pytest.fixture
def bob_seen(pair, has):
    """Bob lives in bergen; oslo has a copy."""
    home, remote, peer = pair
    users = of(remote, "bob", number="6640")
    has(home, *users)
    has(remote, *users)
    return peer


@pytest.mark.parametrize(
    "text",
    [
        "BOB",
        " bob ",
        "sip:bob@example.com;transport=tcp",
        "bob@mail.example.com",
        "6640",
        "66-40",
        "bob@somewhere.else",
    ],
)
def test_a_user_is_found_by_any_address(bob_seen, text):
    assert located(text).user.userid == "bob"


@pytest.mark.parametrize("userid", ["bob>", "<bob>", "sip:bob", "tel:1;x", "‹b…/>"])
def test_a_user_id_is_found_as_it_is(pair, has, userid):
    home, remote, _ = pair
    has(home)
    has(remote, *of(remote, userid, "bob"))
    assert located(userid).user.userid == userid


def test_a_user_is_found_by_the_number_under_a_mask(bob_seen):
    bob_seen.external_phone_number_mask = "+1408902XXXX"
    bob_seen.save()
    found = located("+1 408 902-6640")
    assert found.user.userid == "bob"
    assert view_on(found, "oslo").masked.result == "+14089026640"


def test_home_and_copies_are_told(bob_seen):
    found = located("bob")
    assert (found.home.cluster.name, found.node) == ("bergen", found.user.node)
    assert [view.cluster.name for view in found.copies] == ["oslo"]
    assert (view_on(found, "bergen").state, view_on(found, "oslo").state) == (
        "home",
        "seen",
    )


def test_the_sip_uri_is_rewritten_to_the_home_node(bob_seen):
    view = view_on(located("bob"), "oslo")
    assert view.rewritten == "sip:bob@bergen-pub.example.com"
    assert (view.next_hop, view.peer) == (bob_seen.address, bob_seen)


def test_the_next_hop_shows_the_last_sip_check(bob_seen):
    bob_seen.entries = [{"code": "sip", "outcome": "failed", "problem": "silent"}]
    bob_seen.save()
    assert view_on(located("bob"), "oslo").entry["outcome"] == "failed"


def test_a_missing_peer_is_why_a_cluster_does_not_see_a_user(pair, has):
    home, remote, peer = pair
    peer.delete()
    has(home)
    has(remote, *of(remote, "bob"))
    view = view_on(located("bob"), "oslo")
    assert (view.state, view.peer) == ("absent", None)
    assert "bergen" in view.sentence


def test_a_failed_entry_is_why_a_cluster_does_not_see_a_user(pair, has):
    home, remote, peer = pair
    peer.entries = [{"code": "axl", "outcome": "failed", "problem": "AXL is off."}]
    peer.save()
    has(home)
    has(remote, *of(remote, "bob"))
    assert view_on(located("bob"), "oslo").sentence == "AXL is off."


@pytest.mark.parametrize(("minutes", "outcome"), [(2, "unknown"), (0, "failed")])
def test_users_read_before_a_peer_was_added_prove_nothing(pair, has, minutes, outcome):
    home, remote, _ = pair
    has(home, minutes=minutes)
    has(remote, *of(remote, "bob"), minutes=minutes)
    view = view_on(located("bob"), "oslo")
    assert (view.state, view.outcome) == ("absent", outcome)


def test_a_copy_that_names_another_home_is_not_good(pair, has, cluster_factory):
    home, remote, _ = pair
    third = cluster_factory("voss")
    has(home, *of(third, "bob"))
    has(remote, *of(remote, "bob"))
    has(third)
    view = view_on(located("bob"), "oslo")
    assert (view.state, view.outcome) == ("elsewhere", "failed")
    assert "voss" in view.sentence


def test_a_copy_with_another_address_is_told(pair, has):
    home, remote, _ = pair
    (bob,) = of(remote, "bob")
    has(home, bob._replace(mail_id="robert@mail.example.com"))
    has(remote, bob)
    view = view_on(located("bob"), "oslo")
    assert view.state == "different"
    assert ATTRIBUTES["mail_id"] in view.sentence
    assert ATTRIBUTES["directory_uri"] not in view.sentence


def test_two_homes_are_both_named(pair, has):
    home, remote, _ = pair
    has(home, *of(home, "bob"))
    has(remote, *of(remote, "bob"))
    assert [listing.cluster.name for listing in located("bob").homes] == [
        "bergen",
        "oslo",
    ]


def test_a_cluster_that_was_never_read_is_not_known(pair, has):
    _, remote, _ = pair
    has(remote, *of(remote, "bob"))
    assert view_on(located("bob"), "oslo").state == "unread"


def test_a_copy_without_a_home_is_told(pair, has):
    home, remote, _ = pair
    has(home, *of(remote, "bob"))
    has(remote)
    found = located("bob")
    assert found.home is None
    assert view_on(found, "oslo").outcome == "failed"


@pytest.mark.parametrize("text", ["%", "' OR 1=1 --", "b*", "\x00", "nobody", "9"])
def test_a_search_term_is_only_a_text(bob_seen, text):
    assert candidate_users(Directory(), text) == []
