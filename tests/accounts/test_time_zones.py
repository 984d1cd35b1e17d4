"""Times in the zone of the person who reads them."""

from datetime import UTC, datetime
from unittest import mock

import pytest
from django.test import Client
from django.urls import reverse

from accounts import audit
from accounts.models import Preference

ZONE, AUDIT = reverse("accounts:time_zone"), reverse("accounts:audit")
SUMMER = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def ada(administrator, client_of):
    return client_of(administrator)


def record_at(at, action):
    with mock.patch.object(audit.timezone, "now", return_value=at):
        audit.append_entry(audit.CONSOLE, action)


@pytest.fixture
def entry(db):
    record_at(SUMMER, "edit peer")


def test_without_a_choice_times_are_those_of_the_console(ada, entry):
    assert "2026-07-01 12:30:00 UTC" in ada.get(AUDIT).content.decode()


def test_pages_show_times_in_the_chosen_zone(ada, entry):
    ada.post(ZONE, {"time_zone": "Europe/Vienna"})
    text = ada.get(AUDIT).content.decode()
    assert "2026-07-01 14:30:00 CEST" in text and "ago" in text
    assert "selected" in ada.get(ZONE).content.decode().split("Europe/Vienna")[1][:20]


def test_rest_and_exports_stay_in_utc(ada, entry, api, administrator):
    ada.post(ZONE, {"time_zone": "Europe/Vienna"})
    listed = ada.get(reverse("api:audit-entries-list")).json()
    assert "2026-07-01T12:30:00Z" in {one["at"] for one in listed["results"]}
    export = ada.get(reverse("accounts:export_audit"))
    assert b"2026-07-01T12:30:00+00:00" in b"".join(export.streaming_content)


def test_zone_is_kept_for_the_next_session(ada, administrator):
    ada.post(ZONE, {"time_zone": "Asia/Tokyo"})
    later = Client()
    later.force_login(administrator)
    assert "JST" in later.get(ZONE).content.decode()
    later.post(ZONE, {"time_zone": ""})
    assert "JST" not in later.get(ZONE).content.decode()
    assert Preference.objects.get().time_zone == ""


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "x" * 90])
def test_other_names_are_refused(ada, name):
    answer = ada.post(ZONE, {"time_zone": name})
    assert answer.status_code == 200 and answer.context["form"].errors
    assert not Preference.objects.exists()


def test_zone_that_is_known_no_longer_is_the_console_s_own(ada):
    session = ada.session
    session["time_zone"] = "Mars/Olympus"
    session.save()
    assert ada.get(ZONE).status_code == 200


def test_dates_of_a_search_are_those_of_the_zone(ada, entry):
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    record_at(late, "edit cluster")
    ada.post(ZONE, {"time_zone": "Europe/Vienna"})
    day = {"since": "2026-07-02", "until": "2026-07-02"}
    page = ada.get(AUDIT, day).context["page"]
    assert [one.action for one in page] == ["edit cluster"]
