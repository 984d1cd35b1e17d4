from dataclasses import fields, replace
from datetime import timedelta

import pytest

from diagnostics.answers import UNASKED, Answer, Failure
from diagnostics.documentation import insert_table
from diagnostics.facts import (
    ExchangedTrust,
    HaNode,
    Subcluster,
    SyncAgentSettings,
    UserFaults,
)
from diagnostics.judge.sections import TESTS, judge_facts
from diagnostics.judge.services import NO_XCP
from diagnostics.judge.sources import Source
from diagnostics.user_trail import UserTrail
from tests.diagnostics.healthy import (
    NOTHING,
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
from wire import Resolution, ServiceStatus, SipReply

NAMED = Answer(("anna",), None, 1.0)
SLOW = Answer(Resolution(("10.0.2.1",)), None, 7000.0)


def two(**spoilt):
    return {"two": cluster(2, 1, **spoilt)}


def second_node(**spoilt):
    return two(nodes=(node(2, 1, True), node(2, 2, **spoilt)))


def stopped(name, **more):
    return two(nodes=(node(2, 1, True), without_service(node(2, 2), name, **more)))


def faulty(**spoilt):
    good = dict.fromkeys((f.name for f in fields(UserFaults)), NOTHING)
    return two(user_faults=UserFaults(**(good | spoilt)))


def masked(mask):
    return peer(1, 2, mask=mask)


def table_of(mask):
    displayed = entry("10.0.2.1", external_phone_number_mask=mask)
    return cluster(1, 2, peers=Answer((displayed,)))


CASES = [
    (
        two(peers=Answer((entry("10.0.1.1"), entry("10.0.1.2")))),
        "duplicate_peer failed",
    ),
    (
        two(peers=Answer((entry("10.0.1.1"), entry("10.9.9.9")))),
        "unknown_entries warning",
    ),
    (
        two(
            users=Answer(
                {
                    "cup2-1.example.com": 20,
                    "cup1-1.example.com": 10,
                    "old.example.com": 3,
                }
            )
        ),
        "left_users warning",
    ),
    ({"there": peer(1, 2, address="10.0.2.9", target="node21")}, "provisioned failed"),
    (two(sync_agent=Answer(SyncAgentSettings(False))), "sync_settings failed"),
    (
        two(sync_agent=Answer(SyncAgentSettings(True, "Sync failed"))),
        "sync_data failed",
    ),
    (two(sync_agent=Answer(SyncAgentSettings(True, "Started"))), "sync_data warning"),
    (two(unassigned=Answer(4)), "unassigned_users warning"),
    (two(process_nodes=Answer(())), "nodes_known warning"),
    (
        two(subclusters=Answer((Subcluster("9", "Empty", True),))),
        "empty_groups warning",
    ),
    (
        two(ha_nodes=Answer((HaNode("cup2-1.example.com", "1", "4"),))),
        "ha_normal failed",
    ),
    (
        two(
            subclusters=Answer((Subcluster("1", "Default", False),)),
            ha_nodes=Answer(
                (
                    HaNode("cup2-1.example.com", "1", "2"),
                    HaNode("cup2-2.example.com", "1", "2"),
                )
            ),
        ),
        "ha_enabled warning",
    ),
    (stopped("Cisco UP SIP Proxy"), "sip_proxy_service failed"),
    (stopped("Cisco UP Presence Engine"), "presence_engine_service failed"),
    (stopped("Cisco UP OAM Agent"), "oam_agent_service failed"),
    (stopped("Cisco UP Config Agent"), "config_agent_service failed"),
    (stopped("Cisco UP XCP Router"), "xcp_router_service failed"),
    (
        stopped("Cisco UP XCP Connection Manager"),
        "xcp_connection_manager_service failed",
    ),
    (
        stopped("Cisco UP XCP Authentication Service"),
        "xcp_authentication_service failed",
    ),
    (
        two(ha_nodes=Answer((HaNode("cup2-1.example.com", "", "3"),))),
        "assigned_nodes warning",
    ),
    ({"there": peer(1, 2, resolution=SLOW)}, "address warning"),
    ({"there": masked("408XX55"), "one": table_of("408XX55")}, "mask warning"),
    ({"there": masked("5550000"), "one": table_of("5550000")}, "mask warning"),
    ({"silent_servers": ("10.0.0.53:53",)}, "dns_servers warning"),
    ({"shared": {"userid": NAMED}}, "shared_userids failed"),
    ({"shared": {"directory_uri": NAMED}}, "shared_uris failed"),
    ({"shared": {"mail_id": NAMED}}, "shared_mails warning"),
    (faulty(duplicate_userids=NAMED), "unique_userids failed"),
    (faulty(duplicate_uris=NAMED), "unique_uris failed"),
    (faulty(with_invalid_uri=NAMED), "valid_uris failed"),
    (faulty(duplicate_mails=NAMED), "unique_mails warning"),
    (second_node(connect=failure("refused")), "node_reachable failed"),
    (
        second_node(certificate=Answer(certificate(fingerprint="cd" * 32))),
        "node_certificate failed",
    ),
    (
        second_node(certificate=Answer(certificate(days=5))),
        "certificate_expiry warning",
    ),
    (
        second_node(certificate=Answer(certificate(tls_version="TLSv1"))),
        "modern_tls warning",
    ),
    (second_node(axl=failure("not_soap")), "node_axl failed"),
    (second_node(axl=failure("unauthorized")), "axl_user failed"),
    (second_node(axl=failure("forbidden")), "axl_user failed"),
    (second_node(services=failure("timeout")), "control_center failed"),
    (second_node(services=failure("forbidden")), "control_center failed"),
    (second_node(forward=failure("unresolvable")), "dns_forward failed"),
    (second_node(forward=Answer(("10.9.9.9",))), "dns_forward failed"),
    (second_node(forward=Answer(("10.0.2.2",), None, 9000.0)), "dns_forward warning"),
    (second_node(backward=Answer(())), "dns_reverse failed"),
    (
        second_node(backward=Answer(("cup2-2.example.com",), None, 7000.0)),
        "dns_reverse warning",
    ),
    (second_node(backward=Answer(("other.example.com",))), "dns_reverse failed"),
    (
        second_node(certificate_names={"x.example.com": failure("unresolvable")}),
        "dns_certificate_names failed",
    ),
    (second_node(clock_offset=20.0), "clock warning"),
    (second_node(clock_offset=-400.0), "clock failed"),
    (second_node(axl=Answer(1, None, 4000.0)), "response_time warning"),
    (second_node(sip={"UDP": failure("timeout")}), "sip_answers failed"),
    (
        {"bystanders": (cluster(3, 1),)},
        "mesh_complete failed",
    ),
]


def wrong_codes(**spoilt):
    """The failed tests and warnings that are no consequence of another."""
    return {
        f"{finding.test.code} {finding.verdict.outcome}"
        for finding in judge_facts(facts(**spoilt))
        if finding.verdict.outcome in ("failed", "warning") and not finding.cause
    }


def test_a_healthy_mesh_has_nothing_wrong():
    assert wrong_codes() == set()


@pytest.mark.parametrize(("spoilt", "named"), CASES)
def test_a_fault_is_named_by_its_own_test(spoilt, named):
    assert named in wrong_codes(**spoilt)


@pytest.mark.parametrize("name", [f.name for f in fields(cluster(1, 2))])
def test_a_fact_that_is_missing_is_no_exception(name):
    defaults = {f.name: f.default for f in fields(cluster(1, 2))}
    if name in ("id", "name"):
        return
    outcomes = {
        f.verdict.outcome for f in judge_facts(facts(**two(**{name: defaults[name]})))
    }
    assert outcomes


def outcomes_of(code, **spoilt):
    """The outcomes and problems of one test."""
    found = [f for f in judge_facts(facts(**spoilt)) if f.test.code == code]
    return [(f.verdict.outcome.value, f.verdict.problem) for f in found]


def test_several_peers_that_never_carried_all_users_are_one_fault():
    table = Answer((entry("10.0.2.1"), entry("10.0.3.1")))
    users = Answer({"cup1-1.example.com": 10})
    spoilt = facts(one=cluster(1, 2, users=users, peers=table))
    third = cluster(3, 1)
    more = {"peer13": peer(1, 3, axl=Answer(1))}
    clusters = {**spoilt.clusters, third.id: third}
    spoilt = replace(spoilt, clusters=clusters, peers={**spoilt.peers, **more})
    wrong = [
        f for f in judge_facts(spoilt) if f.verdict.outcome in ("warning", "failed")
    ]
    found = {(f.test.code, f.cluster.id): f for f in wrong if f.cluster}
    problem = found["initial_syncs", "cluster1"].verdict.problem
    assert "10.0.2.1 and 10.0.3.1" in problem
    assert found["associated_users", "cluster1"].cause == "initial_syncs"


def test_a_peer_over_tls_tells_that_its_certificates_cannot_be_seen():
    one = cluster(1, 2, peers=Answer((entry("10.0.2.1", protocol="TLS"),)))
    assert outcomes_of("certificates_exchanged") == []
    [(outcome, _), _] = outcomes_of("certificates_exchanged", one=one)
    assert outcome == "information"


@pytest.mark.parametrize(
    ("outcome", "days", "row"),
    [
        ("passed", 400, "passed"),
        ("failed", 400, "failed"),
        ("warning", 12, "warning"),
        ("unknown", None, None),
    ],
)
def test_certificates_that_were_read_are_judged_whatever_the_protocol(
    outcome, days, row
):
    known = {("cluster1", "cluster2"): ExchangedTrust(outcome, days, "Misses it.")}
    found = [
        f.verdict.outcome.value
        for f in judge_facts(replace(facts(), exchanged=known))
        if f.test.code == "certificates_exchanged"
    ]
    assert found == ([row] if row else [])


def test_another_protocol_than_tcp_is_told():
    both = {
        "one": cluster(1, 2, peers=Answer((entry("10.0.2.1", protocol="UDP"),))),
        "two": cluster(2, 1, peers=Answer((entry("10.0.1.1", protocol="UDP"),))),
    }
    assert [outcome for outcome, _ in outcomes_of("protocol_recommended", **both)] == [
        "information",
        "information",
    ]


def test_protocols_that_nobody_understands_are_not_the_same():
    both = {
        "one": cluster(1, 2, peers=Answer((entry("10.0.2.1", protocol=""),))),
        "two": cluster(2, 1, peers=Answer((entry("10.0.1.1", protocol=""),))),
    }
    assert {outcome for outcome, _ in outcomes_of("protocol_match", **both)} == {
        "information"
    }


def test_a_release_without_xcp_says_so():
    old = cluster(2, 1, generation="cup7", version=Answer("7.1.3"))
    for code in ("xcp_router_service", "xcp_authentication_service"):
        assert outcomes_of(code, two=old)[-1] == ("information", NO_XCP)


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [("started", -1, "passed"), ("stopped", -1068, "failed"), ("", -1, "information")],
)
def test_9_needs_sip_federation_for_a_peer_of_8_6(status, reason, outcome):
    name = "Cisco XCP SIP Federation Connection Manager"
    service = Answer((ServiceStatus(name, status, reason),))
    nine = cluster(
        2,
        1,
        generation="imp",
        version=Answer("9.1.1.31900(1)"),
        nodes=(node(2, 1, True, services=service),),
    )
    assert [o for o, _ in outcomes_of("xcp_sip_federation_service", two=nine)] == [
        outcome
    ]
    assert outcomes_of("xcp_sip_federation_service") == []


def test_clusters_that_the_directory_did_not_read_are_named():
    spoilt = {"shared": {"userid": NOTHING}, "unread": ("cup2",)}
    [(outcome, problem)] = outcomes_of("shared_userids", **spoilt)
    assert (outcome, "cup2" in problem) == ("information", True)
    assert outcomes_of("shared_userids", shared={})[0][0] == "information"


def test_the_complete_list_of_users_is_a_link_away():
    spoilt = faulty(duplicate_mails=NAMED)
    found = next(
        f
        for f in judge_facts(facts(**spoilt))
        if f.test.code == "unique_mails" and f.verdict.fix
    )
    assert found.verdict.fix.query == "kind=mail_id&cluster=cluster2"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (
            12,
            "12 user IDs",
        ),
        (499, "499 user IDs"),
        (500, "500 or more"),
    ],
)
@pytest.mark.parametrize("code", ["shared_userids", "unique_userids"])
def test_as_many_users_as_are_read_at_most_may_be_more(code, count, words):
    many = Answer(tuple(f"u{n:03}" for n in range(count)))
    spoilt = faulty(duplicate_userids=many) | {"shared": {"userid": many}}
    problem = outcomes_of(code, **spoilt)[-1][1]
    assert problem.startswith(words)
    more = f"and {count - 10} more" if count < 500 else "and others"
    assert f"u009 {more}" in problem


def test_a_consequence_over_the_whole_mesh_names_its_cause():
    shared = {"userid": NAMED, "directory_uri": NAMED}
    found = {f.test.code: f for f in judge_facts(facts(shared=shared))}
    assert found["shared_userids"].cause == ""
    assert found["shared_uris"].cause == "shared_userids"


def test_only_the_wanted_tests_are_judged():
    found = judge_facts(facts(), only=frozenset({"clock", "axl"}))
    assert {finding.test.code for finding in found} == {"clock", "axl"}


def test_only_the_chosen_clusters_have_rows():
    found = judge_facts(facts(), frozenset({"cluster1"}))
    assert {finding.cluster.id for finding in found if finding.cluster} == {"cluster1"}


def test_a_consequence_names_its_cause():
    spoilt = facts(
        two=cluster(2, 1, nodes=(node(2, 1, True, connect=failure("timeout")),)),
        there=peer(1, 2, connect=failure("timeout")),
    )
    found = {
        f.test.code: f for f in judge_facts(spoilt) if f.verdict.outcome == "failed"
    }
    assert "Caused by" in found["connect"].verdict.problem


def test_a_sync_that_was_never_complete_for_hours_is_stuck():
    users = Answer({"cup1-1.example.com": 10})
    trail = UserTrail(20, equal_at=NOW - timedelta(hours=3))
    spoilt = facts(one=cluster(1, 2, users=users), there=peer(1, 2, trail=trail))
    stale = [f for f in judge_facts(spoilt) if f.test.code == "stale_sync"]
    assert "3 hours" in stale[0].verdict.problem


def test_an_ip_address_is_no_node_name_from_9_on():
    imp = replace(cluster(2, 1), generation="imp")
    home = replace(cluster(1, 2), generation="imp")
    assert "address_is_name warning" in wrong_codes(one=home, two=imp)
    assert "address_is_name warning" not in wrong_codes(two=imp)


def test_the_document_lists_every_test_as_it_is():
    with open("docs/troubleshooter.md") as document:
        text = document.read()
    assert text == insert_table(text)
    assert all(f"`{test.code}`" in text for test in TESTS)


def test_every_test_says_what_it_asks_and_its_remedy():
    codes = [test.code for test in TESTS]
    assert len(codes) == len(set(codes))
    assert all(test.asks and test.remedy and test.sources for test in TESTS)


def test_every_source_is_behind_a_test():
    assert {source for test in TESTS for source in test.sources} == set(Source)


def verdicts(code, **spoilt):
    return [f.verdict for f in judge_facts(facts(**spoilt)) if f.test.code == code]


def test_a_sip_tls_port_that_wants_a_certificate_is_no_good_answer():
    expected = SipReply(False, None, "A client certificate is required", 1.0, True)
    found = verdicts("sip_tls_answers", **second_node(sip={"TLS": Answer(expected)}))
    [verdict] = [x for x in found if x.outcome == "information"]
    assert "client certificate" in verdict.problem
    assert "5062" in verdict.solution


@pytest.mark.parametrize(
    ("version", "outcome"),
    [("14.0.1", "information"), ("15.0.1", "information"), ("10.5.2", "warning")],
)
def test_releases_of_a_staged_upgrade_are_not_excluded(version, outcome):
    spoilt = {
        "one": cluster(1, 2, version=Answer("12.5.1")),
        "two": cluster(2, 1, version=Answer(version)),
    }
    assert {x.outcome for x in verdicts("versions", **spoilt)} == {outcome}


UNHEARD_OF = failure("unresolvable")
SILENT = Answer(failure=Failure("unresolvable", "No answer.", passing=True))


@pytest.mark.parametrize(
    ("spoilt", "outcome"),
    [
        ({"name": "10.0.2.2", "certificate_names": {"x": UNHEARD_OF}}, "information"),
        (
            {"forward": UNHEARD_OF, "certificate_names": {"x": UNHEARD_OF}},
            "information",
        ),
        ({"certificate_names": {"x": UNHEARD_OF}}, "failed"),
        (
            {
                "name": "10.0.2.2",
                "certificate_names": {"x": UNHEARD_OF, "y": Answer(("10.0.2.2",))},
            },
            "failed",
        ),
        (
            {
                "address": "cup2-2.example.com",
                "forward": UNHEARD_OF,
                "certificate_names": {"x": UNHEARD_OF},
            },
            "failed",
        ),
        ({"certificate_names": {"x": SILENT}}, "information"),
        ({"certificate_names": {"x": UNASKED}}, "information"),
        ({"certificate_names": {"x": SILENT, "y": UNHEARD_OF}}, "failed"),
        ({"certificate_names": {"x": Answer(("10.0.2.9",))}}, "passed"),
    ],
)
def test_names_in_a_certificate_need_dns_only_where_there_is_dns(spoilt, outcome):
    found = verdicts("dns_certificate_names", **second_node(**spoilt))
    assert outcome in {verdict.outcome for verdict in found}
    assert {verdict.outcome for verdict in found} <= {"passed", outcome}


def test_a_user_whom_axl_refuses_as_well_fails_only_there():
    refused = failure("forbidden")
    found = wrong_codes(**second_node(axl=refused, services=refused))
    assert "axl_user failed" in found
    assert "control_center failed" not in found
