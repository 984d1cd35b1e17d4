"""A peer, somebody who subscribed, and local servers that receive."""

import pytest

from jobs.engine import perform_job
from jobs.models import Job
from notifications.detect import detect_changes
from notifications.models import Subscriber, Topic
from peers.models import Peer, PeerOutcome
from tests.notifications.servers import Smtp, Webhook, serving


@pytest.fixture
def home(cluster_factory):
    return cluster_factory("berlin")


@pytest.fixture
def peers(home, cluster_factory, peer_factory):
    return [peer_factory(home, cluster_factory(f"remote{n}")) for n in range(3)]


@pytest.fixture
def reader(viewer):
    """A person who wants to hear of everything on the page."""
    return Subscriber.objects.create(user=viewer, channel="page", topics=Topic.values)


@pytest.fixture
def smtp(settings):
    with serving(Smtp) as server:
        settings.EMAIL_URL = "smtp://"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        yield server


@pytest.fixture
def webserver(settings):
    with serving(Webhook) as server:
        settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
        yield server


@pytest.fixture
def webhook(webserver, transactional_db):
    port = webserver.server_address[1]
    found = Subscriber(
        channel="webhook",
        name="Chat",
        url=f"http://127.0.0.1:{port}/hook?room=1",
        topics=Topic.values,
    )
    found.seal("secret", "a shared secret")
    found.save()
    return found


@pytest.fixture
def mailed(operator, transactional_db):
    return Subscriber.objects.create(
        user=operator, channel="mail", email="otto@example.com", topics=["peer"]
    )


def judge(outcome: PeerOutcome, *peers: Peer) -> int:
    Peer.objects.filter(pk__in=[peer.pk for peer in peers]).update(outcome=outcome)
    return detect_changes()


def sent() -> Job:
    """Work on the job that sends, each time as if its pause were over."""
    job = Job.objects.filter(kind="send-notifications").latest("created_at")
    for _ in range(20):
        if not job.active:
            break
        Job.objects.filter(pk=job.pk).update(not_before=job.created_at)
        perform_job(str(job.pk))
        job.refresh_from_db()
    return job
