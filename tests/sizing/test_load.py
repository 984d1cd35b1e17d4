"""The model of the load between clusters, example by example."""

from dataclasses import replace

import pytest

from sizing.load import ASSUMED, INPUTS, load_between, share_of, sync_time


def profile(c, p, r, size):
    return replace(
        ASSUMED,
        contacts_per_user=c,
        remote_contact_share=p,
        state_changes_per_user_per_hour=r,
        notification_bytes=size,
    )


@pytest.mark.parametrize(
    ("users", "c", "p", "r", "size", "subscriptions", "per_second", "mbit"),
    [
        (1_000, 50, 0.10, 4, 1_200, 5_000, 5.56, 0.053),
        (5_000, 100, 0.20, 6, 1_500, 100_000, 166.67, 2.000),
        (15_000, 75, 0.25, 6, 1_500, 281_250, 468.75, 5.625),
        (15_000, 200, 0.50, 10, 1_500, 1_500_000, 4_166.67, 50.000),
    ],
)
def test_presence(users, c, p, r, size, subscriptions, per_second, mbit):
    found = load_between(profile(c, p, r, size), 0, users)
    assert round(found.subscriptions) == subscriptions
    assert round(found.notifications_per_second, 2) == per_second
    assert round(found.presence / 1e6, 3) == mbit


def test_two_clusters_of_5000_users_over_sip():
    found = load_between(ASSUMED, 5_000, 5_000, sip=True)
    assert round(found.refresh / 1e6, 3) == 0.111
    assert round(found.messages / 1e6, 3) == 0.020
    assert round(found.total / 1e6, 2) == 2.13
    assert round(found.total / 5e6 * 100) == 43


def test_subscriptions_are_not_refreshed_without_sip():
    assert load_between(ASSUMED, 5_000, 5_000).refresh == 0


@pytest.mark.parametrize(("seconds", "mbit"), [(900, 2.22), (60, 33.33)])
def test_after_a_restart(seconds, mbit):
    found = load_between(replace(ASSUMED, restart_seconds=seconds), 0, 5_000)
    assert round(found.after_restart / 1e6, 2) == mbit


def test_contacts_are_shared_among_the_other_clusters_by_their_users():
    assert share_of(ASSUMED, 3_000, 4_000) == pytest.approx(0.15)
    assert share_of(ASSUMED, 0, 0) == 0


def test_synchronization_of_100_000_users_over_5_mbit():
    found = sync_time(100_000, 5e6)
    assert (found.pages, found.bytes) == (3, 23_900_000)
    assert round(found.seconds, 1) == 38.5


def test_synchronization_of_29_peers_at_once_multiplies_it():
    found = sync_time(29 * 15_000, 5e6, round_trip=0)
    assert round(found.bytes / 1e6) == 104
    assert round(found.seconds) == 166


def test_every_input_changes_the_model_or_a_limit():
    assert {one.name for one in INPUTS} == set(vars(ASSUMED))
