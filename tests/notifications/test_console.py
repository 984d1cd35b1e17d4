"""The console reports what fails of itself, once, and its end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.users import limit_user
from cupadmin import console_watch, readiness
from cupadmin.readiness import Check
from jobs.models import Job
from notifications import console
from notifications.models import LastNotified, Message
from tests.notifications.conftest import sent

GOOD = Check(True, "Beat is running.")
BAD = Check(False, "Beat is not running: nothing is done on schedule.")


def look(check, minutes=0):
    """Look so many minutes after what was seen last."""
    seen = timezone.now() - timedelta(minutes=minutes)
    LastNotified.objects.update(since=seen)
    return console.report_checks({"beat": check})


def texts():
    return [event["text"] for m in Message.objects.all() for event in m.events]


def test_trouble_is_reported_once_after_a_minute_and_its_end(reader):
    assert [look(BAD), look(BAD), look(BAD, 2), look(BAD, 2)] == [0, 0, 1, 0]
    assert texts() == [BAD.sentence]
    assert [look(GOOD), look(GOOD)] == [1, 0]
    assert texts() == [GOOD.sentence, BAD.sentence]
    states = [m.events[0]["state"] for m in Message.objects.all()]
    assert states == ["passed", "failed"]


def test_a_restart_is_no_news(reader):
    assert [look(BAD), look(GOOD), look(BAD), look(GOOD)] == [0, 0, 0, 0]
    assert not Message.objects.exists()
    assert not LastNotified.objects.exists()


def test_each_part_has_its_own_trouble(reader):
    bad = {"beat": BAD, "broker": Check(False, "The broker does not answer.")}
    console.report_checks(bad)
    LastNotified.objects.update(since=timezone.now() - timedelta(minutes=2))
    assert console.report_checks(bad) == 2
    keys = [event["key"] for event in Message.objects.get().events]
    assert keys == ["console:beat", "console:broker"]


def test_who_did_not_subscribe_or_is_limited_gets_nothing(reader, viewer, home):
    reader.topics = ["peer"]
    reader.save()
    look(BAD)
    assert look(BAD, 2) == 1
    assert not Message.objects.exists()
    reader.topics = ["console"]
    reader.save()
    limit_user(viewer, [str(home.pk)])
    assert look(GOOD) == 1
    assert not Message.objects.exists()


def test_a_mail_goes_out_although_no_worker_runs(smtp, mailed):
    mailed.topics = ["console"]
    mailed.save()
    look(BAD)
    look(BAD, 2)
    assert len(smtp.mails) == 1
    assert BAD.sentence in smtp.mails[0]
    assert Message.objects.get().state == "sent"
    assert not Job.objects.exists()


def test_what_does_not_arrive_is_left_to_the_job(webserver, webhook):
    webserver.statuses += [503]
    look(BAD)
    look(BAD, 2)
    assert Message.objects.get().state == "waiting"
    assert sent().state == Job.State.SUCCEEDED
    assert Message.objects.get().state == "sent"
    assert len(webserver.calls) == 2


def test_it_joins_no_message_that_waits_for_a_worker(webserver, webhook):
    waiting = webhook.messages.create(events=[])
    look(BAD)
    look(BAD, 2)
    assert len(webserver.calls) == 1
    waiting.refresh_from_db()
    assert (waiting.events, waiting.closed_at) == ([], None)


@pytest.fixture
def without_anybody(db, monkeypatch, tmp_path):
    from tests.cupadmin.test_readiness import use_broker

    use_broker(monkeypatch, "atomic-filesystem://localhost", folder=str(tmp_path))
    readiness.cached_checks.clear()
    yield
    readiness.cached_checks.clear()


def test_a_web_process_looks_at_what_readiness_finds(without_anybody, reader):
    assert console_watch.look_once() == 0
    suspected = set(LastNotified.objects.values_list("key", flat=True))
    assert suspected == {"console:beat", "console:workers"}
    LastNotified.objects.update(since=timezone.now() - timedelta(minutes=2))
    assert console_watch.look_once() == 2


def test_without_a_database_nothing_is_reported(monkeypatch, db):
    unknown = {"database": Check(False, "No."), "beat": Check(False, "No.")}
    monkeypatch.setattr(readiness.cached_checks, "get", lambda: unknown)
    assert console_watch.look_once() == 0
    assert not LastNotified.objects.exists()
