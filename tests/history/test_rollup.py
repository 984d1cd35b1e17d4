"""Checks counted by hour and day, once each."""

from datetime import timedelta

import pytest
from django.utils import timezone

from diagnostics.models import PeerCheck
from history import rollup
from history.availability import RANGES, availability_of
from history.models import ClusterDay, Event, PeerDay
from tests.history.conftest import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_checks_are_counted_in_their_hour_and_day(check):
    check(NOON, "passed", 3, 4)
    check(NOON + HOUR, "failed")
    check(NOON + DAY, "warning")
    assert rollup.roll_up() == 3
    first, second = PeerDay.objects.all()
    assert (first.passed, first.failed, second.warning) == (1, 1, 1)
    assert first.hours == {
        "12": [1, 0, 0, 0, 3, 4],
        "13": [0, 0, 1, 0, None, None],
    }
    assert (first.associated_users, first.remote_users) == (3, 4)


def test_no_check_is_counted_twice(check):
    check()
    rollup.roll_up()
    check(NOON + HOUR)
    assert rollup.roll_up() == 1
    assert PeerDay.objects.get().passed == 2


def test_more_checks_than_one_batch(check, monkeypatch):
    monkeypatch.setattr(rollup, "BATCH", 2)
    for n in range(5):
        check(NOON + n * HOUR)
    assert rollup.roll_up() == 5
    assert PeerDay.objects.get().passed == 5


def test_the_peers_of_a_cluster_are_added_up(peer, check, peer_factory):
    other = peer_factory(peer.cluster, peer.remote_cluster, address="10.9.9.9")
    back = peer_factory(peer.remote_cluster, peer.cluster)
    check(NOON, "passed", 3, 4)
    PeerCheck.objects.create(
        peer=other, at=NOON, outcome="failed", associated_users=5, remote_users=6
    )
    # Where one number is not known, the other says nothing either.
    PeerCheck.objects.create(
        peer=other, at=NOON + HOUR, outcome="failed", associated_users=7
    )
    PeerCheck.objects.create(peer=back, at=NOON + DAY, outcome="warning")
    rollup.roll_up()
    ours = ClusterDay.objects.get(cluster=peer.cluster)
    assert (ours.passed, ours.failed) == (1, 2)
    assert (ours.associated_users, ours.remote_users) == (10, 10)
    assert ours.hours == {
        "12": [1, 0, 1, 0, 8, 10],
        "13": [0, 0, 1, 0, None, None],
    }
    theirs = ClusterDay.objects.get(cluster=peer.remote_cluster)
    assert (theirs.day, theirs.warning) == ((NOON + DAY).date(), 1)
    check(NOON, "passed", 3, 4)
    rollup.roll_up()
    ours.refresh_from_db()
    assert (ours.passed, ours.hours["12"][0]) == (2, 2)


@pytest.mark.parametrize("name", RANGES)
def test_a_cluster_of_one_peer_has_the_history_of_the_peer(check, name):
    now = timezone.now()
    for n, outcome in enumerate(("passed", "failed", "warning", "passed")):
        check(now - n * DAY, outcome, n, n)
    rollup.roll_up()
    of_peer, of_cluster = PeerDay.objects.all(), ClusterDay.objects.all()
    chosen = RANGES[name]
    assert chosen.slots(of_peer, now) == chosen.slots(of_cluster, now)
    assert availability_of(of_peer, now) == availability_of(of_cluster, now)


def test_checks_from_before_the_history_are_counted(check):
    check()
    assert not PeerCheck.objects.filter(rolled_up=True).exists()
    rollup.roll_up()
    assert not PeerCheck.objects.filter(rolled_up=False).exists()


def test_a_year_is_kept(peer):
    today = timezone.now().date()
    for days in (0, 365, 367):
        day = today - days * DAY
        PeerDay.objects.create(peer=peer, day=day)
        ClusterDay.objects.create(cluster=peer.cluster, day=day)
    Event.objects.create(
        cluster=peer.cluster, at=timezone.now() - 367 * DAY, sentence="x"
    )
    rollup.prune_days()
    assert PeerDay.objects.count() == ClusterDay.objects.count() == 2
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("outcomes", "percent"),
    [
        (["passed"], 100),
        (["passed", "failed"], 50),
        (["warning", "failed", "passed"], 66.67),
        (["unknown", "passed"], 100),
        (["unknown"], None),
        ([], None),
    ],
)
def test_availability_leaves_out_what_is_not_known(check, outcomes, percent):
    for outcome in outcomes:
        check(NOON, outcome)
    rollup.roll_up()
    found = availability_of(PeerDay.objects.all(), NOON)
    assert (found.day, found.week, found.month, found.quarter) == (percent,) * 4


def test_availability_of_each_length(check):
    check(NOON, "passed")
    for days in (2, 20, 60, 100):
        check(NOON - days * DAY, "failed")
    rollup.roll_up()
    found = availability_of(PeerDay.objects.all(), NOON)
    assert (found.day, found.week, found.month) == (100, 50, 33.33)
    assert found.quarter == 25
    assert found.since == (NOON - 60 * DAY).date()


@pytest.mark.parametrize("name", RANGES)
def test_each_range_ends_with_the_slot_under_way(check, name):
    check(NOON, "failed")
    rollup.roll_up()
    slots = RANGES[name].slots(PeerDay.objects.all(), NOON)
    assert len(slots) == RANGES[name].number
    assert slots[-1].failed == 1
    assert not any(slot.checks for slot in slots[:-1])


def test_users_of_several_peers_are_added_where_both_sides_are_known(
    check, clusters, peer_factory
):
    back = peer_factory(*reversed(clusters))
    check(NOON, "passed", 3, 4)
    check(NOON, "failed", None, 9, of=back)
    rollup.roll_up()
    for name in ("day", "month"):
        slot = RANGES[name].slots(PeerDay.objects.all(), NOON)[-1]
        assert (slot.associated_users, slot.remote_users) == (3, 4)
        assert (slot.passed, slot.failed) == (1, 1)
