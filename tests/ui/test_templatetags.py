from datetime import timedelta

import pytest
from django.template import engines
from django.utils import timezone

from jobs.models import JobStep
from ui.templatetags.ui import (
    age,
    breakable,
    duration,
    field_words,
    fingerprint,
    icon,
    outcome,
    step_icon,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (20, "just now"),
        (-20, "in a moment"),
        (61, "1 minute ago"),
        (7300, "2 hours ago"),
        (-7300, "in 2 hours"),
        (86400 * 6, "6 days ago"),
        (86400 * 20, "2 weeks ago"),
        (86400 * 400, "1 year ago"),
    ],
)
def test_age_is_said_in_one_unit(seconds, words):
    assert age(timezone.now() - timedelta(seconds=seconds)) == words


def test_what_never_happened_is_never():
    assert age(None) == "never"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.34, "340 ms"),
        (4.21, "4.2 s"),
        (60, "1 min"),
        (3660, "1 h 1 min"),
        (-1, "0 ms"),
    ],
)
def test_duration_takes_at_most_two_units(seconds, words):
    assert duration(timedelta(seconds=seconds)) == words


def test_a_word_nobody_knows_is_unknown_and_not_passed():
    assert outcome("flying") == outcome(None) == "unknown"


def test_unreachable_is_never_stopped():
    assert outcome("unknown") != outcome("stopped")


def test_fingerprint_breaks_only_between_pairs():
    assert fingerprint("ab12cd") == "AB:<wbr>12:<wbr>CD"


def test_icon_name_is_escaped():
    assert "<script>" not in icon('"><script>')


def test_a_constant_sees_nothing_of_the_person():
    source = "{% load ui %}{% constant %}a{{ name }}b{% endconstant %}"
    template = engines["django"].from_string(source)
    assert template.render({"name": "Eve"}) == template.render({}) == "ab"


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("axl_port", "node", "AXL port"),
        ("external_phone_number_mask", "peer", "External phone number mask"),
        ("ca_certificate", "gone", "CA certificate"),
        ("role", "", "Role"),
    ],
)
def test_stored_fields_are_said_in_words(name, kind, words):
    assert field_words(name, kind) == words


def test_skipped_and_not_started_steps_have_icons_of_their_own():
    assert len({step_icon(state) for state in JobStep.State}) == len(JobStep.State)


def test_a_name_breaks_behind_its_dots():
    assert breakable("pub.<b>.example") == "pub.<wbr>&lt;b&gt;.<wbr>example"
    assert breakable("127.20.1.1") == "127.20.1.1"
