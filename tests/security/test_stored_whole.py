"""A limit narrows what is shown of a row; it never reaches what is stored."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import cluster_limits, users
from diagnostics.models import TroubleshooterRun
from notifications.models import Message, Subscriber


@pytest.fixture
def clusters(cluster_factory):
    return [cluster_factory("alpha"), cluster_factory("beta")]


@pytest.fixture
def limit(operator, clusters):
    users.limit_user(operator, [str(clusters[0].pk)])
    operator.refresh_from_db()
    return cluster_limits.limit_of(operator)


@pytest.fixture
def run(clusters, operator):
    return TroubleshooterRun.objects.create(
        clusters=[{"id": str(one.pk), "name": one.name} for one in clusters],
        peers=[{"home": one.name, "remote": "x", "address": "y"} for one in clusters],
        totals={"failed": 2},
        requested_by=operator,
        finished_at=timezone.now(),
    )


@pytest.fixture
def message(clusters, operator):
    reader = Subscriber.objects.create(channel="page", user=operator, topics=["peer"])
    events = [event(one.name, str(one.pk)) for one in clusters]
    return reader.messages.create(events=events, closed_at=timezone.now())


def event(text, *clusters):
    fixed = {"topic": "peer", "state": "failed", "url": "/"}
    fixed["at"] = "2026-01-01T00:00:00Z"
    return {"key": f"peer:{text}", "text": text, "clusters": [*clusters], **fixed}


def stored(row):
    return type(row)._base_manager.filter(pk=row.pk).values().get()


def test_saving_a_run_under_a_limit_loses_nothing(run, limit):
    before = stored(run)
    with cluster_limits.limited_to(limit):
        TroubleshooterRun.objects.get(pk=run.pk).save()
        again = TroubleshooterRun.objects.get(pk=run.pk)
        again.finish(again.totals, again.finished_at)
    assert stored(run) == before


def test_saving_a_message_under_a_limit_loses_nothing(message, limit):
    before = stored(message)
    with cluster_limits.limited_to(limit):
        Message.objects.get(pk=message.pk).save()
        again = Message.objects.get(pk=message.pk)
        again.refresh_from_db()
        Message.objects.bulk_update([again], ["events"])
    assert stored(message) == before


def test_event_that_is_added_under_a_limit_joins_the_others(message, limit):
    with cluster_limits.limited_to(limit):
        again = Message.objects.get(pk=message.pk)
        again.events += [event("more")]
        again.save(update_fields=["events"])
    texts = [event["text"] for event in stored(message)["events"]]
    assert texts == ["alpha", "beta", "more"]


def test_run_shows_only_clusters_within_the_limit(run, limit):
    with cluster_limits.limited_to(limit):
        displayed = TroubleshooterRun.objects.get(pk=run.pk)
        assert [one["name"] for one in displayed.visible_clusters] == ["alpha"]
        assert [one["home"] for one in displayed.visible_peers] == ["alpha"]
        assert displayed.visible_totals == {}
    assert len(run.visible_clusters) == 2 and run.visible_totals == {"failed": 2}


def test_message_shows_only_events_within_the_limit(message, limit, operator, api):
    with cluster_limits.limited_to(limit):
        displayed = Message.objects.get(pk=message.pk)
        assert displayed.subject == "alpha" and len(displayed.visible_events) == 1
    answer = api(operator).get(reverse("api:deliveries-detail", args=[message.pk]))
    assert "alpha" in answer.content.decode() and "beta" not in answer.content.decode()
