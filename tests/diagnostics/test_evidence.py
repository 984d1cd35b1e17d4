"""What stands behind a row: asked, answered, when, how long, and never a secret."""

import json
from datetime import UTC, datetime

from diagnostics.evidence import LONGEST, MOST_ANSWERS, answer, details
from diagnostics.facts import Answer
from diagnostics.judge.sections import findings
from tests.diagnostics.healthy import certificate, cluster, facts, failure, node
from wire import PeerEntry

AT = datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)


def test_an_answer_tells_when_and_how_long():
    assert answer("AXL", Answer(1, None, 12.34, AT)) == {
        "asked": "AXL",
        "answer": "1",
        "at": "2026-01-02T03:04:05.678+00:00",
        "duration_ms": 12.3,
    }


def test_a_failure_is_an_answer_in_words():
    assert answer("AXL", failure("timeout", "Silence."))["answer"] == "Silence."


def test_what_was_not_asked_says_so():
    told = answer("AXL", Answer())
    assert (told["answer"], told["at"]) == ("It was not asked.", None)


def test_long_answers_are_cut():
    many = Answer(tuple("name" * 30 for _ in range(50)))
    assert len(answer("DNS", many)["answer"]) == LONGEST


def test_a_certificate_shows_its_fingerprint_and_not_its_text():
    told = answer("TLS", Answer(certificate()))["answer"]
    assert "ab" * 32 in told
    assert "BEGIN" not in told


def test_an_entry_shows_no_password():
    entry = PeerEntry("10.0.0.1", "ic", "TCP", "408XXXX", has_password=True)
    assert answer("Table", Answer(entry))["answer"] == "10.0.0.1, ic, TCP, 408XXXX"


def test_every_row_of_a_healthy_mesh_can_be_told_as_json():
    for finding in findings(facts()):
        assert json.dumps(details(finding))


def test_many_answers_are_counted_and_not_all_kept():
    nodes = tuple(node(1, m, m == 1) for m in range(1, MOST_ANSWERS + 5))
    mesh = facts(one=cluster(1, 2, nodes=nodes))
    found = next(f for f in findings(mesh) if f.test.code == "sync_agent")
    assert details(found)["more"] == 4
