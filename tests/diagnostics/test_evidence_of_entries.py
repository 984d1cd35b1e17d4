"""Entries on clusters whose peer table nobody can read, as every real one's."""

from dataclasses import replace
from datetime import timedelta

import pytest

from diagnostics.answers import Answer
from diagnostics.facts import Attestation, Facts
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.status import judge_entries, outcome_of
from diagnostics.user_trail import UserTrail
from tests.diagnostics.healthy import NOW, cluster, entry, facts, failure, node, peer
from tests.diagnostics.healthy import without_service as without

HIDDEN = failure("catalogue")
AGENT = "Cisco UP Intercluster Sync Agent"
WORD = Attestation("ada", NOW - timedelta(days=1), "Seen on the page.")


def users(here=10, of_two=20):
    return Answer({"cup1-1.example.com": here, "cup2-1.example.com": of_two})


def hidden(here=20, agent="started", **peers) -> Facts:
    """Two clusters that show no peers; `here` users of the second on the first."""
    stopped = tuple(without(node(1, m, m == 1), AGENT, agent) for m in (1, 2))
    one = cluster(1, 2, peers=HIDDEN, users=users(of_two=here), nodes=stopped)
    return facts(one=one, two=cluster(2, 1, peers=HIDDEN), **peers)


def entries(mesh: Facts) -> dict:
    found = judge_entries(PeerView.of(mesh, mesh.peers["peer12"]))
    return {entry["code"]: entry for entry in found}


def state(mesh: Facts, code: str) -> tuple[str, str]:
    entry = entries(mesh)[code]
    return entry["outcome"], entry["evidence"]


def test_hidden_tables_end_with_all_check_marks_by_users():
    found = entries(hidden())
    assert outcome_of(found.values()) == "passed"
    assert "unknown" not in {entry["outcome"] for entry in found.values()}
    assert found["provisioned"]["evidence"] == found["reverse_peer"]["evidence"]
    assert found["reverse_peer"]["evidence"] == "users"


def test_every_entry_says_by_what_it_is_known():
    found = {code: entry["evidence"] for code, entry in entries(facts()).items()}
    assert found["address"] == found["axl"] == found["sip"] == "probe"
    assert found["sync_agent_local"] == found["sync_agent_remote"] == "services"
    assert found["provisioned"] == found["reverse_peer"] == "table"
    assert found["protocol_match"] == "table"
    assert found["associated_users"] == "users"


@pytest.mark.parametrize("agent", ["stopped", None])
def test_users_left_behind_prove_nothing_without_an_agent(agent):
    assert state(hidden(agent=agent), "provisioned") == ("unknown", "none")


def test_change_that_arrived_proves_the_entry_without_the_agents_status():
    trail = UserTrail(20, NOW, followed_at=NOW - timedelta(hours=1))
    mesh = hidden(agent="stopped", there=peer(1, 2, trail=trail))
    assert state(mesh, "provisioned") == ("passed", "users")


@pytest.mark.parametrize(
    ("hours", "expected"), [(1, ("passed", "users")), (3, ("warning", "users"))]
)
def test_users_that_stand_still_are_the_first_sign_of_a_loss(hours, expected):
    since = NOW - timedelta(hours=hours)
    trail = UserTrail(17, since, differ_since=since)
    mesh = hidden(here=17, there=peer(1, 2, trail=trail))
    assert state(mesh, "provisioned") == expected


def test_users_that_are_gone_are_a_lost_entry():
    mesh = hidden(here=0, there=peer(1, 2, trail=UserTrail(20, NOW)))
    assert state(mesh, "provisioned") == ("failed", "users")


@pytest.mark.parametrize("here", [0, 7])
def test_before_the_first_sync_the_entry_is_unknown(here):
    assert state(hidden(here=here), "provisioned") == ("unknown", "none")


def test_attested_entry_passes_with_who_and_when():
    entry = entries(hidden(here=0, there=peer(1, 2, attested=WORD)))["provisioned"]
    assert (entry["outcome"], entry["evidence"]) == ("passed", "attested")
    assert "ada" in entry["problem"] and "2026-01-14 12:00" in entry["problem"]


def test_what_is_seen_wins_over_a_persons_word():
    word = peer(1, 2, attested=WORD)
    gone = replace(word, trail=UserTrail(20, NOW))
    assert state(hidden(here=0, there=gone), "provisioned") == ("failed", "users")
    displayed = facts(one=cluster(1, 2, peers=Answer(())), there=word)
    assert state(displayed, "provisioned") == ("failed", "table")


@pytest.mark.parametrize(
    ("back", "expected"),
    [
        (peer(2, 1), ("information", "none")),
        (peer(2, 1, attested=WORD), ("passed", "attested")),
        (peer(2, 1, attested=WORD, protocol="TLS"), ("failed", "attested")),
        (peer(2, 1, protocol="TLS"), ("warning", "none")),
        (
            peer(2, 1, protocol="TLS", assumed=("protocol",)),
            ("information", "none"),
        ),
    ],
)
def test_protocols_that_no_cluster_shows(back, expected):
    word = None if back.protocol == "TLS" and not back.attested else WORD
    mesh = hidden(there=peer(1, 2, attested=word), back=back)
    assert state(mesh, "protocol_match") == expected


def test_number_that_follows_a_change_is_remembered():
    trail = UserTrail().after(12, 12, NOW).after(12, 13, NOW + timedelta(minutes=1))
    assert trail.differ_since == NOW + timedelta(minutes=1)
    later = NOW + timedelta(minutes=5)
    followed = trail.after(13, 13, later)
    assert (followed.users, followed.followed_at) == (13, later)
    assert followed.differ_since is None
    assert followed.after(None, 13, later) == followed


def test_trail_survives_the_database():
    trail = UserTrail(12, NOW, NOW, NOW)
    assert UserTrail.from_dict(trail.to_dict()) == trail
    assert UserTrail.from_dict({}) == UserTrail()


def test_name_and_address_of_one_node_are_one_entry():
    by_name = peer(1, 2, address="cup2-1.example.com")
    assert state(facts(there=by_name), "provisioned") == ("passed", "table")


@pytest.mark.parametrize("spelling", ["10.0.2.1", "cup2-1", "CUP2-1.Example.com."])
def test_spellings_of_one_node_are_one_entry_and_are_shown(spelling):
    by_name = peer(1, 2, address="cup2-1.example.com")
    found = facts(one=cluster(1, 2, peers=Answer((entry(spelling),))), there=by_name)
    view = PeerView.of(found, found.peers["peer12"])
    assert state(found, "provisioned") == ("passed", "table")
    alike = spelling.casefold().rstrip(".") == by_name.address
    assert view.spelling == ("" if alike else spelling)
    sentence = {one["code"]: one["problem"] for one in judge_entries(view)}[
        "provisioned"
    ]
    assert (spelling in sentence) is not alike


def test_short_name_of_two_nodes_is_neither():
    by_name = peer(1, 2, address="cup2-1.example.com")
    twin = replace(node(2, 2), name="cup2-1.example.org")
    found = facts(
        one=cluster(1, 2, peers=Answer((entry("cup2-1"),))),
        two=cluster(2, 1, nodes=(node(2, 1, publisher=True), twin)),
        there=by_name,
    )
    assert state(found, "provisioned") == ("failed", "table")


def test_entry_for_another_node_is_another_address():
    other = cluster(1, 2, peers=Answer((entry("10.0.2.2"),)))
    assert state(facts(one=other), "provisioned") == ("failed", "table")
