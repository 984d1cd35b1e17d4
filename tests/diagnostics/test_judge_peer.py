import re
from dataclasses import replace

import pytest

from diagnostics.answers import UNASKED, Answer
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.status import judge_entries, outcome_of
from tests.diagnostics.healthy import (
    certificate,
    cluster,
    entry,
    facts,
    failure,
    node,
    peer,
    without_service,
)
from wire import Resolution, ServiceStatus, SipReply

AGENT = "Cisco UP Intercluster Sync Agent"
SILENT = (node(2, 1, True, services=failure("timeout")), node(2, 2))
STOPPED = (node(2, 1, True), without_service(node(2, 2), AGENT))
MISSING = (node(2, 1, True), without_service(node(2, 2), AGENT, None))

# what is spoilt, entry, its outcome, words in its problem
CASES = [
    ({"there": peer(1, 2, resolution=failure("unresolvable"))}, "address", "failed"),
    ({"there": peer(1, 2, target=None)}, "address", "failed"),
    ({"there": peer(1, 2, target="node22")}, "address", "warning"),
    ({"there": peer(1, 2, connect=failure("refused"))}, "connect", "failed"),
    (
        {"there": peer(1, 2, certificate=Answer(certificate(days=-2)))},
        "certificate",
        "failed",
    ),
    (
        {"there": peer(1, 2, certificate=Answer(certificate(days=7)))},
        "certificate",
        "warning",
    ),
    (
        {"there": peer(1, 2, axl=failure("certificate_changed"))},
        "certificate",
        "failed",
    ),
    (
        {"there": peer(1, 2, axl=failure("certificate_unknown"))},
        "certificate",
        "information",
    ),
    (
        {"there": peer(1, 2, axl=failure("certificate_unknown"))},
        "credentials",
        "unknown",
    ),
    ({"there": peer(1, 2, axl=failure("axl_off"))}, "axl", "failed"),
    ({"there": peer(1, 2, axl=failure("axl_off"))}, "credentials", "unknown"),
    ({"there": peer(1, 2, axl=failure("unauthorized"))}, "axl", "passed"),
    ({"there": peer(1, 2, axl=failure("unauthorized"))}, "credentials", "failed"),
    ({"there": peer(1, 2, axl=failure("forbidden"))}, "credentials", "failed"),
    ({"there": peer(1, 2, axl=failure("secret"))}, "credentials", "failed"),
    ({"two": cluster(2, 1, nodes=STOPPED)}, "sync_agent_remote", "failed"),
    ({"two": cluster(2, 1, nodes=MISSING)}, "sync_agent_remote", "failed"),
    ({"two": cluster(2, 1, nodes=SILENT)}, "sync_agent_remote", "unknown"),
    ({"two": cluster(2, 1, nodes=())}, "sync_agent_remote", "unknown"),
    ({"two": cluster(2, 1, peers=Answer(()))}, "reverse_peer", "failed"),
    ({"two": cluster(2, 1, peers=failure("catalogue"))}, "reverse_peer", "passed"),
    (
        {"two": cluster(2, 1, peers=Answer((entry("10.0.1.1", protocol="UDP"),)))},
        "protocol_match",
        "failed",
    ),
    ({"two": cluster(2, 1, peers=Answer(()))}, "protocol_match", "unknown"),
    ({"there": peer(1, 2, sip=failure("timeout"))}, "sip", "failed"),
    ({"there": peer(1, 2, sip=Answer(SipReply(False, 503, "", 1)))}, "sip", "failed"),
    (
        {"there": peer(1, 2, sip=Answer(SipReply(False, None, "", 1, True)))},
        "sip",
        "information",
    ),
    ({"one": cluster(1, 2, peers=Answer(()))}, "provisioned", "failed"),
    ({"one": cluster(1, 2, peers=failure("catalogue"))}, "provisioned", "passed"),
    (
        {"one": cluster(1, 2, peers=Answer((entry("10.0.2.1", username="x"),)))},
        "provisioned",
        "failed",
    ),
    ({"one": cluster(1, 2, users=Answer({}))}, "associated_users", "failed"),
    ({"one": cluster(1, 2, users=failure("fault"))}, "associated_users", "unknown"),
    ({"one": cluster(1, 2, users=Answer({"": 20}))}, "associated_users", "unknown"),
    ({"one": cluster(1, 2, users=Answer({"": 19}))}, "associated_users", "unknown"),
    ({"two": cluster(2, 1, users=Answer({"": 20}))}, "associated_users", "unknown"),
    (
        {"one": cluster(1, 2, users=Answer({"cup2-1.example.com": 17, "": 3}))},
        "associated_users",
        "unknown",
    ),
    (
        {"one": cluster(1, 2, users=Answer({"cup2-1.example.com": 17, "": 2}))},
        "associated_users",
        "failed",
    ),
    ({"two": cluster(2, 1, users=UNASKED)}, "associated_users", "unknown"),
]


def entries(**spoilt):
    mesh = facts(**spoilt)
    reported = judge_entries(PeerView.of(mesh, mesh.peers["peer12"]))
    return {entry["code"]: entry for entry in reported}


def test_a_healthy_peer_has_twelve_entries_that_passed():
    found = entries()
    assert [entry["outcome"] for entry in found.values()] == ["passed"] * 12


@pytest.mark.parametrize(("spoilt", "code", "outcome"), CASES)
def test_an_entry_says_what_the_facts_say(spoilt, code, outcome):
    entry = entries(**spoilt)[code]
    assert entry["outcome"] == outcome
    assert bool(entry["problem"]) == (outcome != "passed")


@pytest.mark.parametrize(
    "name", [AGENT.replace("UP ", ""), AGENT.upper(), AGENT.replace(" ", "  ")]
)
def test_the_agent_is_known_under_the_names_of_all_releases(name):
    agent = ServiceStatus(name, "started")
    nodes = [without_service(node(2, n, n == 1), AGENT, None) for n in (1, 2)]
    nodes = tuple(
        replace(one, services=Answer((*one.services.value, agent))) for one in nodes
    )
    assert entries(two=cluster(2, 1, nodes=nodes))["sync_agent_remote"]["outcome"] == (
        "passed"
    )


@pytest.mark.parametrize(
    ("code", "name"), [("catalogue", "clusters:peer_table"), ("timeout", None)]
)
def test_a_table_that_differs_is_fixed_on_its_page(code, name):
    home = cluster(1, 2, peers=failure(code), users=Answer({}))
    found = entries(one=home)["provisioned"]
    assert found["outcome"] == "unknown"
    assert (found["fix"] or [None])[0] == name


def test_an_agent_on_its_way_is_not_to_be_started():
    found = {}
    for status in ("stopped", "starting", "stopping"):
        nodes = (node(2, 1, True), without_service(node(2, 2), AGENT, status))
        found[status] = entries(two=cluster(2, 1, nodes=nodes))["sync_agent_remote"]
    assert {one["outcome"] for one in found.values()} == {"failed"}
    assert len({one["solution"] for one in found.values()}) == 3


def test_a_missing_count_names_size_and_direction():
    users = Answer({"cup1-1.example.com": 10, "cup2-1.example.com": 17})
    problem = entries(one=cluster(1, 2, users=users))["associated_users"]["problem"]
    assert re.findall(r" (\d+)\b", problem) == ["17", "20", "3"]


def test_users_beyond_the_remote_count_are_too_many():
    users = Answer({"cup1-1.example.com": 10, "cup2-1.example.com": 21})
    problem = entries(one=cluster(1, 2, users=users))["associated_users"]["problem"]
    assert "1 is too many" in problem


def test_short_and_differently_written_node_names_are_counted():
    users = Answer({"CUP1-1.example.com": 10, "cup2-1": 20})
    found = entries(one=cluster(1, 2, users=users))["associated_users"]
    assert found["outcome"] == "passed"


def test_a_remote_cluster_that_is_not_managed_is_unknown_never_good():
    found = entries(there=peer(1, 2, remote=None, target=None, axl=UNASKED))
    unknown = {code for code, e in found.items() if e["outcome"] == "unknown"}
    assert unknown >= {"axl", "credentials", "reverse_peer", "associated_users"}


def test_an_srv_name_may_lead_to_several_nodes():
    resolution = Answer(Resolution(("10.0.2.1", "10.0.2.2")))
    found = entries(there=peer(1, 2, resolution=resolution))
    assert found["address"]["outcome"] == "passed"


@pytest.mark.parametrize(
    ("outcomes", "sum_"),
    [
        (["passed", "passed"], "passed"),
        (["passed", "unknown"], "unknown"),
        (["passed", "information"], "passed"),
        (["information"], "unknown"),
        (["unknown", "warning"], "warning"),
        (["warning", "information"], "warning"),
        (["warning", "failed"], "failed"),
        ([], "unknown"),
    ],
)
def test_unknown_is_never_shown_as_good(outcomes, sum_):
    assert outcome_of({"outcome": outcome} for outcome in outcomes) == sum_


def test_nothing_known_at_all_is_no_exception():
    bare = replace(cluster(1, 2), nodes=(), users=UNASKED, peers=UNASKED)
    found = entries(one=bare, there=peer(1, 2, resolution=UNASKED, connect=UNASKED))
    assert outcome_of(found.values()) != "passed"
