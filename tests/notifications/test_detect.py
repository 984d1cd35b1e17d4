from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.audit import Actor
from accounts.users import limit_user
from clusters.models import Node
from jobs.locks import JobLock
from jobs.models import Job
from notifications.detect import detect_changes
from notifications.models import Maintenance, Message
from notifications.validation import LONGEST_WINDOW
from services.jobs.control import ControlServices
from services.models import NodeReading, Service
from services.signals import services_controlled
from tests.notifications.conftest import judge


def queued_texts():
    return [[event["text"] for event in m.events] for m in Message.objects.all()]


def test_one_cause_is_told_once(reader, peers):
    assert judge("failed", peers[0]) == 1
    assert [detect_changes(), detect_changes()] == [0, 0]
    assert queued_texts() == [[f"Peer {peers[0]} failed."]]


def test_many_at_once_are_one_message(reader, peers):
    assert judge("failed", *peers) == 3
    assert Message.objects.get().subject.endswith("(and 2 more)")


def test_a_peer_that_passes_again_is_told(reader, peers):
    judge("failed", peers[0])
    judge("passed", peers[0])
    assert Message.objects.first().events[0]["text"] == f"Peer {peers[0]} passed again."


@pytest.mark.parametrize("between", ["warning", "unknown"])
def test_a_peer_between_failed_and_passed_is_no_news(reader, peers, between):
    judge("failed", peers[0])
    assert judge(between, peers[0]) == 0
    assert judge("failed", peers[0]) == 0


def test_a_peer_that_never_failed_is_no_news(reader, peers):
    assert judge("passed", *peers) == 0
    assert not Message.objects.exists()


def test_who_did_not_subscribe_to_it_is_not_told(reader, peers):
    reader.topics = ["agent"]
    reader.save()
    assert judge("failed", peers[0]) == 1
    assert not Message.objects.exists()


@pytest.fixture
def agent(home):
    now = timezone.now()
    NodeReading.objects.create(node=home.publisher, tried_at=now, observed_at=now)
    name = home.profile.sync_agent
    return Service.objects.create(node=home.publisher, name=name, status="started")


def test_an_agent_that_stopped_is_told_once_each_time(reader, agent):
    for status in ["started", "stopped", "stopped", "started"] * 2:
        Service.objects.update(status=status)
        detect_changes()
    assert queued_texts() == [[f"{agent.name} on {agent.node} is stopped."]] * 2


def test_an_agent_that_a_job_restarts_is_no_news(reader, agent):
    job = Job.objects.submit("control-services", [], locks=[agent.lock])
    Service.objects.update(status="stopped")
    assert detect_changes() == 0
    JobLock.objects.filter(job=job).delete()
    assert detect_changes() == 1


def test_an_agent_that_a_person_stopped_here_is_no_news(reader, agent):
    job = ControlServices.submit("stop", [agent], Actor())
    Service.objects.update(status="stopped")
    job.steps.update(state="done")
    services_controlled.send(sender=None, nodes=set(), names=set(), job=job)
    JobLock.objects.all().delete()
    assert detect_changes() == 0
    for status in ("started", "stopped"):
        Service.objects.update(status=status)
        detect_changes()
    assert queued_texts() == [[f"{agent.name} on {agent.node} is stopped."]]


def test_an_agent_that_cannot_be_seen_is_no_news(reader, agent):
    Service.objects.update(status="unknown")
    NodeReading.objects.update(error_code="timeout")
    assert detect_changes() == 0


def test_a_certificate_is_told_at_30_7_and_1_days_and_when_it_expired(reader, home):
    for days in (31, 30, 29, 8, 7, 6, 1, 0.5, -1):
        at = timezone.now() + timedelta(days=days)
        Node.objects.update(certificate_not_after=at)
        detect_changes()
    words = [text for [text] in reversed(queued_texts())]
    assert [text.partition("within ")[2].partition(",")[0] for text in words[:3]] == [
        "30 days",
        "7 days",
        "a day",
    ]
    assert words[3].endswith("has expired.")
    assert len(words) == 4


def test_a_changed_certificate_is_told(reader, home):
    Node.objects.update(certificate_state="changed")
    assert [detect_changes(), detect_changes()] == [1, 0]


def test_a_job_that_needs_attention_is_told(reader, home):
    job = Job.objects.submit("discover", [], target=home)
    Job.objects.update(state="needs_attention", finished_at=timezone.now())
    assert [detect_changes(), detect_changes()] == [1, 0]
    assert Message.objects.get().events[0]["url"] == job.get_absolute_url()


def window(cluster):
    now = timezone.now()
    hour = timedelta(hours=1)
    return Maintenance.objects.create(
        cluster=cluster, begins_at=now - hour, ends_at=now + hour
    )


@pytest.mark.parametrize("side", ["cluster", "remote_cluster"])
def test_maintenance_of_either_side_silences(reader, peers, side):
    window(getattr(peers[0], side))
    assert judge("failed", peers[0]) == 0


def test_trouble_that_outlasts_the_maintenance_is_told_at_its_end(reader, peers):
    window(peers[0].cluster)
    judge("failed", peers[0])
    assert Maintenance.objects.filter(cluster=peers[0].cluster).end() == 1
    assert detect_changes() == 1


def test_trouble_that_ends_within_the_maintenance_is_never_told(reader, peers):
    window(peers[0].cluster)
    judge("failed", peers[0])
    judge("passed", peers[0])
    Maintenance.objects.all().delete()
    assert detect_changes() == 0


def test_a_limited_person_is_told_only_of_their_clusters(
    reader, peers, home, cluster_factory, peer_factory
):
    limit_user(reader.user, [str(home.pk)])
    other = peer_factory(cluster_factory("hamburg"), home)
    assert judge("failed", peers[0], other) == 2
    assert queued_texts() == [[f"Peer {peers[0]} failed."]]


def test_what_was_told_goes_when_the_cluster_does(reader, peers, client_of):
    judge("failed", peers[0])
    client = client_of(reader.user)
    url = reverse("notifications:mine")
    assert f"Peer {peers[0]} failed." in client.get(url).content.decode()
    limit_user(reader.user, [str(peers[0].remote_cluster_id)])
    assert "failed." not in client.get(url).content.decode()
    assert len(Message.objects.get().events) == 1


def test_whoever_was_deactivated_is_not_told(reader, mailed, webhook, peers):
    for person in (reader.user, mailed.user):
        person.is_active = False
        person.save()
    assert judge("failed", peers[0]) == 1
    assert [message.subscriber for message in Message.objects.all()] == [webhook]


def test_what_waits_for_somebody_deactivated_gets_no_job(mailed, peers):
    mailed.messages.create(events=[{"text": "A peer failed."}])
    mailed.user.is_active = False
    mailed.user.save()
    detect_changes()
    assert not Job.objects.filter(kind="send-notifications").exists()


def test_a_job_is_told_at_the_end_of_the_longest_maintenance(reader, home):
    ago = timezone.now() - LONGEST_WINDOW
    Maintenance.objects.create(
        cluster=home, begins_at=ago, ends_at=timezone.now() + timedelta(seconds=9)
    )
    Job.objects.submit("discover", [], target=home)
    Job.objects.update(state="needs_attention", finished_at=ago)
    assert detect_changes() == 0
    Maintenance.objects.end()
    assert detect_changes() == 1


def test_maintenance_silences_every_job_that_works_on_the_cluster(reader, peers, home):
    remote = peers[0].remote_cluster
    Job.objects.submit("check-peers", [], clusters=[home.pk, remote.pk])
    Job.objects.update(state="needs_attention", finished_at=timezone.now())
    window(remote)
    assert detect_changes() == 0
    Maintenance.objects.end()
    assert detect_changes() == 1
