"""Facts that are rare, and what is made of them: never more than they say."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from diagnostics.answers import Answer
from diagnostics.facts import Attestation
from diagnostics.judge.cluster import health_of
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.sections import judge_facts
from diagnostics.judge.status import judge_entries
from diagnostics.user_trail import UserTrail
from tests.diagnostics.healthy import (
    NOW,
    certificate,
    cluster,
    entry,
    facts,
    failure,
    node,
    peer,
    without_service,
)
from wire import Resolution, SrvTarget, platforms

AGENT = "Cisco UP Intercluster Sync Agent"
HIDDEN = failure("catalogue")
# None of the users of cup2 has arrived on cup1.
NO_USERS = Answer({"cup1-1.example.com": 10})


def rows(code, **spoilt):
    """The outcomes and problems of one test."""
    found = judge_facts(facts(**spoilt), only=frozenset({code}))
    return [(one.verdict.outcome.value, one.verdict.problem) for one in found]


def entry_of(code, **spoilt):
    """The outcome and problem of one entry of the first peer."""
    mesh = facts(**spoilt)
    entries = judge_entries(PeerView.of(mesh, mesh.peers["peer12"]))
    found = next(one for one in entries if one["code"] == code)
    return found["outcome"], found["problem"]


def test_health_of_a_cluster_without_a_publisher_is_unknown():
    assert health_of(cluster(1, 2, nodes=(node(1, 2),))) == "unknown"
    assert health_of(cluster(1, 2)) == "ok"


def test_word_counts_where_the_remote_cluster_is_not_managed():
    word = Attestation("ada", NOW - timedelta(days=1))
    one = cluster(1, 2, peers=HIDDEN)
    alone = peer(1, 2, remote=None, target=None)
    assert entry_of("provisioned", one=one, there=alone)[0] == "unknown"
    outcome, problem = entry_of(
        "provisioned", one=one, there=replace(alone, attested=word)
    )
    assert outcome == "passed" and "ada" in problem


def test_clusters_without_any_peer_may_stand_alone():
    bare = {n: cluster(n, 3 - n, peers=Answer(())) for n in (1, 2)}
    found = rows("mesh_complete", one=bare[1], two=bare[2], peers={}, held={})
    assert [outcome for outcome, _ in found] == ["information"] * 2
    assert "no peers" in found[0][1]


@pytest.mark.parametrize(("more", "outcome"), [(0, "passed"), (1, "warning")])
def test_mesh_has_as_many_clusters_as_its_releases_support(more, outcome):
    limit = platforms.profile_of("imp").max_clusters
    known = {"generation": "imp", "version": Answer("12.5.1")}
    others = tuple(cluster(n, 1, **known) for n in range(3, limit + 1 + more))
    [(found, problem)] = rows("mesh_size", bystanders=others)
    assert found == outcome
    assert re.findall(r"\d+", problem) == [str(limit + 1), str(limit)] * more


def test_first_sync_of_one_peer_is_no_fault():
    [(outcome, _), _] = rows("initial_syncs", one=cluster(1, 2, users=NO_USERS))
    assert outcome == "passed"


def test_status_that_is_not_understood_is_unknown():
    odd = (node(2, 1, True), without_service(node(2, 2), AGENT, "hibernating"))
    outcome, problem = entry_of("sync_agent_remote", two=cluster(2, 1, nodes=odd))
    assert outcome == "unknown"
    assert AGENT in problem and "cup2-2.example.com" in problem


def test_status_that_is_not_understood_hides_no_stopped_agent():
    odd = tuple(
        without_service(node(2, n, n == 1), AGENT, status)
        for n, status in ((1, "hibernating"), (2, "stopped"))
    )
    assert entry_of("sync_agent_remote", two=cluster(2, 1, nodes=odd))[0] == "failed"


def test_users_of_a_node_that_two_clusters_have_are_unknown():
    twin = replace(node(3, 1, True), name="cup2-1.example.org")
    users = Answer({"cup1-1.example.com": 10, "cup2-1": 20})
    one, third = cluster(1, 2, users=users), cluster(3, 1, nodes=(twin,))
    assert entry_of("associated_users", one=one)[0] == "passed"
    outcome, problem = entry_of("associated_users", one=one, bystanders=(third,))
    assert outcome == "unknown"
    assert "cup2" in problem and "cup2-1" not in problem


def test_srv_name_need_not_be_the_name_of_a_node():
    two = replace(cluster(2, 1), generation="imp")
    srv = Resolution(("10.0.2.1",), (SrvTarget("cup2-1.example.com", 8443, 0, 0),))
    by_srv = peer(1, 2, address="_cup._tcp.example.com", resolution=Answer(srv))
    by_name = replace(by_srv, resolution=Answer(Resolution(("10.0.2.1",))))
    assert [found for found, _ in rows("address_is_name", two=two, there=by_name)] == [
        "warning"
    ]
    assert rows("address_is_name", two=two, there=by_srv) == []


@pytest.mark.parametrize(
    ("hours", "outcome"), [(-1, "information"), (1, "passed"), (3, "failed")]
)
def test_time_yet_to_come_proves_no_sync(hours, outcome):
    trail = UserTrail(20, equal_at=NOW - timedelta(hours=hours))
    one, there = cluster(1, 2, users=NO_USERS), peer(1, 2, trail=trail)
    assert rows("stale_sync", one=one, there=there)[0][0] == outcome


def test_version_that_is_not_understood_is_neither_good_nor_bad():
    found = rows("versions", two=cluster(2, 1, version=Answer("beta")))
    assert {outcome for outcome, _ in found} == {"information"}
    assert "beta" in found[0][1]


@pytest.mark.parametrize(
    ("spoken", "outcome"),
    [("TLSv1.2", "passed"), ("TLSv1", "warning"), ("TLSv9", "information")],
)
def test_tls_version_that_is_not_understood_is_neither_good_nor_bad(spoken, outcome):
    read = Answer(certificate(tls_version=spoken))
    nodes = (node(2, 1, True, certificate=read),)
    assert rows("modern_tls", two=cluster(2, 1, nodes=nodes))[-1][0] == outcome


def test_peers_of_all_clusters_that_were_not_asked_are_no_first_syncs():
    """A cluster that only its nodes' names are known of has no numbers to compare."""
    third = cluster(3, 1)
    table = Answer((entry("10.0.2.1"), entry("10.0.3.1")))
    mesh = {"one": cluster(1, 2, users=NO_USERS, peers=table), "bystanders": (third,)}
    mesh["peers"] = {one.id: one for one in (peer(1, 2), peer(1, 3))}
    assert [outcome for outcome, _ in rows("initial_syncs", **mesh)] == ["passed"]
