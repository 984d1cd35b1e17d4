import pytest

from presence import (
    PresenceCode,
    PresenceError,
    PresenceObservation,
    ProofInterface,
    Stage,
    State,
)
from proof.judge import Case, judge_proof
from wire import Code, WireError


def case(stage, *failed, **changes):
    names = ("error", "message_lost", "restored")
    seen = {name: changes.pop(name) for name in names if name in changes}
    observation = PresenceObservation(
        stage, changes.pop("way", ProofInterface.PWS), seen=State.AWAY, **seen
    )
    entries = [
        {"code": code, "outcome": "failed", "problem": f"{code} is wrong."}
        for code in failed
    ]
    words = {"home": "cup1", "remote": "cup2", "watcher": "anna", "watched": "ben"}
    return Case(observation, **words, entries=tuple(entries), **changes)


@pytest.mark.parametrize(
    ("stage", "code", "outcome"),
    [
        (Stage.SUBSCRIBED, "no_notification", "failed"),
        (Stage.PENDING, "pending", "failed"),
        (Stage.BLOCKED, "blocked", "warning"),
        (Stage.OLD_STATE, "old_state", "failed"),
        (Stage.UNKNOWN_USER, "user_not_synced", "failed"),
        (Stage.ARRIVED, "arrived", "passed"),
    ],
)
def test_each_stage_has_a_code(stage, code, outcome):
    verdict = judge_proof(case(stage))
    assert (verdict.code, verdict.outcome) == (code, outcome)


@pytest.mark.parametrize(
    ("failed", "code"),
    [
        (["sync_agent_remote", "associated_users"], "agent_stopped"),
        (["address", "provisioned"], "dns"),
        (["reverse_peer", "protocol_match"], "no_matching_entry"),
        (["protocol_match"], "wrong_protocol"),
        (["sip"], "proxy_down"),
        (["associated_users"], "no_notification"),
        (["axl", "connect"], "no_notification"),
    ],
)
def test_the_entries_of_the_peer_name_the_cause(failed, code):
    assert judge_proof(case(Stage.SUBSCRIBED, *failed)).code == code


@pytest.mark.parametrize("code", [Code.REFUSED, Code.TIMEOUT, Code.CLOSED])
def test_a_silent_service_is_a_stopped_proxy(code):
    error = WireError(code, node="cup2-pub")
    verdict = judge_proof(case(Stage.NOT_SET, error=error))
    assert (verdict.code, verdict.outcome) == ("proxy_down", "failed")


@pytest.mark.parametrize("code", [PresenceCode.FULL, PresenceCode.SIGN_IN])
def test_what_only_the_proof_lacks_is_unknown(code):
    error = PresenceError(code, node="cup2-pub")
    verdict = judge_proof(case(Stage.NOT_SIGNED_IN, error=error))
    assert (verdict.code, verdict.outcome) == (code, "unknown")


def test_domains_that_differ_come_before_other_causes():
    given = case(
        Stage.UNKNOWN_USER,
        "sync_agent_local",
        home_domain="a.example",
        remote_domain="b.example",
    )
    assert judge_proof(given).code == "wrong_domain"


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_words(stage):
    verdict = judge_proof(case(stage))
    assert verdict.code
    assert stage is Stage.ARRIVED or (verdict.problem and verdict.solution)


def xmpp(stage, code, *failed, **changes):
    error = PresenceError(code, node="cup1-pub")
    return judge_proof(
        case(stage, *failed, error=error, way=ProofInterface.XMPP, **changes)
    )


@pytest.mark.parametrize(
    ("failed", "domains", "code"),
    [
        ((), ("a.example", "a.example"), "dns"),
        ((), ("a.example", "b.example"), "wrong_domain"),
        (("sync_agent_remote",), ("a.example", "a.example"), "agent_stopped"),
        (("reverse_peer",), ("a.example", "a.example"), "no_matching_entry"),
    ],
)
def test_a_domain_without_a_way_has_a_cause(failed, domains, code):
    home, remote = domains
    verdict = xmpp(
        Stage.SIGNED_IN,
        PresenceCode.XMPP_ROUTE,
        *failed,
        home_domain=home,
        remote_domain=remote,
    )
    assert (verdict.code, verdict.outcome) == (code, "failed")


def test_a_proxy_that_cannot_resolve_the_next_hop_names_dns():
    error = PresenceError(
        PresenceCode.SIP_STATUS, node="cup1", detail="478 Unresolvable destination"
    )
    verdict = judge_proof(case(Stage.SIGNED_IN, error=error, way=ProofInterface.SIP))
    assert (verdict.code, verdict.outcome) == ("dns", "failed")


@pytest.mark.parametrize(
    ("failed", "code"), [((), "blocked"), (("reverse_peer",), "no_matching_entry")]
)
def test_what_is_forbidden_may_lack_the_matching_entry(failed, code):
    error = PresenceError(PresenceCode.FORBIDDEN, node="cup1", detail="403 Forbidden")
    assert judge_proof(case(Stage.SIGNED_IN, *failed, error=error)).code == code


def test_a_domain_that_the_node_does_not_serve_is_wrong():
    verdict = xmpp(Stage.NOT_SET, PresenceCode.XMPP_DOMAIN)
    assert (verdict.code, verdict.outcome) == ("wrong_domain", "failed")


def test_a_silent_xmpp_port_is_a_stopped_router():
    error = WireError(Code.REFUSED, node="cup2-pub")
    verdict = judge_proof(case(Stage.NOT_SET, error=error, way=ProofInterface.XMPP))
    assert (verdict.code, verdict.outcome) == ("router_down", "failed")
    assert "XCP Router" in verdict.solution


def test_a_message_that_does_not_come_back_is_a_warning():
    verdict = judge_proof(
        case(Stage.ARRIVED, message_lost=True, way=ProofInterface.XMPP)
    )
    assert (verdict.code, verdict.outcome) == ("message_lost", "warning")


def test_contacts_that_stay_are_a_warning():
    verdict = judge_proof(case(Stage.ARRIVED, restored=False, way=ProofInterface.XMPP))
    assert (verdict.code, verdict.outcome) == ("not_taken_back", "warning")
    assert "contact" in verdict.problem


def test_a_proxy_that_wants_a_certificate_is_no_failure_of_presence():
    error = PresenceError(PresenceCode.CLIENT_CERTIFICATE, node="cup1-pub")
    verdict = judge_proof(
        case(Stage.NOT_SIGNED_IN, error=error, way=ProofInterface.SIP)
    )
    assert (verdict.code, verdict.outcome) == ("presence_client_certificate", "unknown")
    assert "certificate" in verdict.problem


@pytest.mark.parametrize(
    ("failed", "status", "code", "outcome"),
    [
        ((), "503 Service Unavailable", "presence_sip_status", "unknown"),
        (("reverse_peer",), "503 Service Unavailable", "no_matching_entry", "failed"),
        (("reverse_peer",), "478 Unresolvable", "no_matching_entry", "failed"),
    ],
)
def test_a_sip_status_that_says_nothing_of_the_cause(failed, status, code, outcome):
    error = PresenceError(PresenceCode.SIP_STATUS, node="cup1", detail=status)
    verdict = judge_proof(
        case(Stage.SIGNED_IN, *failed, error=error, way=ProofInterface.SIP)
    )
    assert (verdict.code, verdict.outcome) == (code, outcome)
    assert status in verdict.problem


@pytest.mark.parametrize("code", [PresenceCode.CONTACT, PresenceCode.NOT_FOUND])
@pytest.mark.parametrize(
    ("stage", "remote", "wrong"),
    [
        (Stage.SIGNED_IN, "b.example", True),
        (Stage.SIGNED_IN, "a.example", False),
        (Stage.NOT_SET, "b.example", False),
    ],
)
def test_a_user_who_is_not_found_may_be_of_another_domain(code, stage, remote, wrong):
    verdict = xmpp(stage, code, home_domain="a.example", remote_domain=remote)
    expected = "wrong_domain" if wrong else str(code)
    assert (verdict.code, verdict.outcome) == (expected, "failed")
