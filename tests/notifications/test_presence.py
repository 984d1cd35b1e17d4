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
    return [[event["text"] for event in m.events] for m in Message.objects.all()]


def test_a_proof_that_fails_is_told_once(reader, peers, proven):
    assert [proven("failed", peers[0]), proven("failed", peers[0])] == [1, 0]
    [[text]] = told()
    assert text.startswith("Presence does not arrive from")
    assert "Nothing came." in text


def test_presence_that_arrives_again_is_told(reader, peers, proven):
    proven("failed", peers[0])
    assert proven("passed", peers[0]) == 1
    [text] = told()[0]
    assert text.startswith("Presence arrives again")


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
    assert told() == [[f"Peer {peers[0]} failed."]]


def test_without_canaries_there_is_no_news(reader, peers, proven):
    Canary.objects.update(userid="")
    assert proven("failed", *peers) == 0


def test_who_did_not_subscribe_is_not_told(reader, peers, proven):
    reader.topics = ["peer"]
    reader.save()
    proven("failed", peers[0])
    assert told() == []
