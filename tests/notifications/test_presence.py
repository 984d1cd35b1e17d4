from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.detect import detect_changes
from notifications.models import Message
from peers.models import Peer
from proof.models import Canary, Proof


@pytest.fixture
def proven(home, peers):
    """Judge the presence of peers; both clusters of each have canaries."""
    clusters = {pk for p in peers for pk in (p.cluster_id, p.remote_cluster_id)}
    Canary.objects.bulk_create(Canary(pk=pk, userid="anna") for pk in clusters)
    Peer.objects.update(outcome="passed")
    began = timezone.now()

    def prove(outcome, *these):
        at = began + timedelta(seconds=Proof.objects.count())
        for peer in these:
            Proof.objects.create(
                peer=peer,
                at=at,
                outcome=outcome,
                stage="subscribed",
                way="pws",
                problem="" if outcome == "passed" else "Nothing came.",
            )
        return detect_changes()

    return prove


def told():
    events = Message.objects.values_list("events", flat=True)
    return [[(one["topic"], one["state"]) for one in found] for found in events]


def test_a_proof_that_fails_is_told_once(reader, peers, proven):
    assert [proven("failed", peers[0]), proven("failed", peers[0])] == [1, 0]
    [event] = Message.objects.get().events
    assert (event["topic"], event["state"]) == ("presence", "failed")
    assert "berlin" in event["text"] and "Nothing came." in event["text"]


def test_presence_that_arrives_again_is_told(reader, peers, proven):
    proven("failed", peers[0])
    assert proven("passed", peers[0]) == 1
    assert told()[0] == [("presence", "passed")]


@pytest.mark.parametrize("between", ["warning", "unknown"])
def test_a_proof_that_says_nothing_is_no_news(reader, peers, proven, between):
    proven("failed", peers[0])
    assert proven(between, peers[0]) == 0
    assert proven("failed", peers[0]) == 0


def test_presence_that_always_arrived_is_no_news(reader, peers, proven):
    assert proven("passed", *peers) == 0
    assert told() == []


def test_a_peer_that_failed_is_told_in_place_of_its_presence(reader, peers, proven):
    Peer.objects.filter(pk=peers[0].pk).update(outcome="failed")
    assert proven("failed", peers[0]) == 1
    assert told() == [[("peer", "failed")]]


def test_without_canaries_there_is_no_news(reader, peers, proven):
    Canary.objects.update(userid="")
    assert proven("failed", *peers) == 0


def test_who_did_not_subscribe_is_not_told(reader, peers, proven):
    reader.topics = ["peer"]
    reader.save()
    proven("failed", peers[0])
    assert told() == []
