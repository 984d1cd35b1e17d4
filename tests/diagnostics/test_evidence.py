"""What stands behind a row: asked, answered, when, how long, and never a secret."""

import json
from datetime import UTC, datetime

import pytest

from diagnostics.answers import NOT_ASKED, Answer
from diagnostics.evidence import (
    LONGEST_TEXT,
    MOST_ANSWERS,
    answer_data,
    finding_details,
)
from diagnostics.facts import ExchangedTrust
from diagnostics.judge.evidence import NO_ENTRY
from diagnostics.judge.sections import judge_facts
from diagnostics.judge.system import NO_DATE
from tests.diagnostics.healthy import certificate, cluster, entry, facts, failure, node
from wire import PeerEntry

AT = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)


def test_an_answer_tells_when_and_how_long():
    assert answer_data("AXL", Answer(1, None, 12.34, AT)) == {
        "asked": "AXL",
        "answer": "1",
        "at": "2026-01-02T03:04:05.678+00:00",
        "duration_ms": 12.3,
    }


def test_a_failure_is_an_answer_in_words():
    assert answer_data("AXL", failure("timeout", "Silence."))["answer"] == "Silence."


def test_what_was_not_asked_says_so():
    reported = answer_data("AXL", Answer())
    assert (reported["answer"], reported["at"]) == (NOT_ASKED, None)


def test_long_answers_are_cut():
    many = Answer(tuple("name" * 30 for _ in range(50)))
    assert len(answer_data("DNS", many)["answer"]) == LONGEST_TEXT


def test_a_certificate_shows_its_fingerprint_and_not_its_text():
    reported = answer_data("TLS", Answer(certificate()))["answer"]
    assert "ab" * 32 in reported
    assert "BEGIN" not in reported


def test_an_entry_shows_no_password():
    entry = PeerEntry("10.0.0.1", "ic", "TCP", "408XXXX", has_password=True)
    assert answer_data("Table", Answer(entry))["answer"] == "10.0.0.1, ic, TCP, 408XXXX"


def test_every_row_of_a_healthy_mesh_can_be_told_as_json():
    for finding in judge_facts(facts()):
        assert json.dumps(finding_details(finding))


def test_many_answers_are_counted_and_not_all_kept():
    nodes = tuple(node(1, m, m == 1) for m in range(1, MOST_ANSWERS + 5))
    mesh = facts(one=cluster(1, 2, nodes=nodes))
    found = next(f for f in judge_facts(mesh) if f.test.code == "sync_agent")
    assert finding_details(found)["more"] == 4


def answers_of(code, **spoilt):
    """What stands behind the first row of a test, without what was asked."""
    found = next(f for f in judge_facts(facts(**spoilt)) if f.test.code == code)
    return [one["answer"] for one in finding_details(found)["answers"]]


def test_of_the_other_side_only_what_the_test_is_about_is_told():
    theirs = entry("10.0.1.1", username="secretive", external_phone_number_mask="5XX")
    two = cluster(2, 1, peers=Answer((theirs,)))
    assert answers_of("reverse_peer", two=two) == ["A matching entry"]
    ours = "10.0.2.1, ic, TCP"
    assert answers_of("protocol_match", two=two) == [ours, "TCP"]


def test_a_protocol_that_is_not_understood_is_told_as_it_is():
    theirs = entry("10.0.1.1", protocol="", protocol_raw="9")
    two = cluster(2, 1, peers=Answer((theirs,)))
    assert answers_of("protocol_match", two=two)[1] == "9"


def test_of_the_other_side_nothing_is_told_that_was_not_read():
    silent = cluster(2, 1, peers=failure("timeout", "Silence."))
    empty = cluster(2, 1, peers=Answer(()))
    for code in ("reverse_peer", "protocol_match"):
        assert "Silence." in answers_of(code, two=silent)
        assert answers_of(code, two=empty)[-1] == NO_ENTRY


def test_entries_that_lead_to_one_cluster_are_told_in_words():
    twice = (entry("10.0.2.1"), entry("10.0.2.2"), entry("10.0.3.1"))
    one = cluster(1, 2, peers=Answer(twice))
    (reported,) = answers_of("duplicate_peer", one=one)
    assert reported.split("; ") == ["10.0.2.1, ic, TCP", "10.0.2.2, ic, TCP"]


@pytest.mark.parametrize(
    ("axl", "offset", "reported"),
    [
        (Answer(1), None, NO_DATE),
        (failure("timeout", "Silence."), None, "Silence."),
        (failure("unauthorized"), 0.25, "+0.2 s "),
        (Answer(), None, NOT_ASKED),
    ],
)
def test_a_clock_that_was_not_told_says_why(axl, offset, reported):
    only = node(1, 1, True, axl=axl, clock_offset=offset)
    (answer,) = answers_of("clock", one=cluster(1, 2, nodes=(only,)))
    assert answer.startswith(reported)


@pytest.mark.parametrize(
    ("problem", "answered"), [("It misses one.", "It misses one."), ("", "failed")]
)
def test_trust_lists_that_were_read_stand_beside_both_entries(problem, answered):
    known = ExchangedTrust("failed", 400, problem, AT)
    exchanged = {("cluster1", "cluster2"): known}
    entries = ["10.0.2.1, ic, TCP", "TCP"]
    found = answers_of("certificates_exchanged", exchanged=exchanged)
    assert found == [answered, *entries]
