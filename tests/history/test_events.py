"""What changed between two looks becomes an event, once."""

import pytest
from django.utils import timezone

from clusters.models import Node
from history import events
from history.models import Event
from notifications.models import Subscriber
from peers.models import Peer
from services.models import Service


@pytest.fixture
def found(peer):
    """Look a first time; then change something and look again."""

    def after(change):
        events.record_changes()
        change()
        events.record_changes()
        return [(one.kind, one.peer_id, one.cluster_id) for one in Event.objects.all()]

    return after


def test_the_first_look_finds_no_change(peer):
    Peer.objects.update(outcome="failed", checked_at=timezone.now())
    assert events.record_changes() == 0


def test_a_changed_outcome_is_an_event(found, peer):
    now = timezone.now()
    Peer.objects.update(outcome="passed", checked_at=now)
    assert found(lambda: Peer.objects.update(outcome="failed")) == [
        ("outcome", peer.pk, peer.cluster_id)
    ]
    assert Event.objects.get().at == now


def test_the_same_state_is_no_event(found):
    assert found(lambda: None) == []


@pytest.mark.parametrize(
    "values",
    [
        {"drift": {"protocol": "TLS"}},
        {"provisioning_state": "absent"},
    ],
)
def test_drift_is_an_event(found, peer, values):
    Peer.objects.update(provisioning_state="applied", applied_address="x")
    kinds = [kind for kind, *_ in found(lambda: Peer.objects.update(**values))]
    assert kinds == ["drift"]


def test_a_node_that_cannot_be_used_is_an_event(found, peer):
    Node.objects.update(contact_at=timezone.now())
    node = peer.cluster.publisher
    change = Node.objects.filter(pk=node.pk)
    assert found(lambda: change.update(contact_code="refused")) == [
        ("node", None, peer.cluster_id)
    ]


def test_a_service_that_stops_is_an_event_and_one_on_its_way_is_none(found, peer):
    node = peer.cluster.publisher
    service = Service.objects.create(node=node, name="Cisco SIP Proxy")
    for status in ("started", "stopping", "started", "unknown"):
        Service.objects.filter(pk=service.pk).update(status=status)
        events.record_changes()
    assert not Event.objects.exists()
    assert found(lambda: Service.objects.update(status="stopped")) == [
        ("service", None, peer.cluster_id)
    ]


def test_a_notification_that_was_sent_is_an_event_of_its_clusters(found, peer):
    reported = {"key": "k", "state": "failed", "text": "Peer x failed.", "url": "/"}
    subscriber = Subscriber.objects.create(channel="mail", email="a@example.com")

    def send():
        for _ in range(2):
            now = timezone.now()
            subscriber.messages.create(
                events=[reported | {"clusters": [str(peer.cluster_id), str(peer.pk)]}],
                closed_at=now,
                sent_at=now,
            )

    assert found(send) == [("notification", None, peer.cluster_id)]
