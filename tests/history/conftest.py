"""Two clusters that are peers of each other, and checks at chosen times."""

from datetime import UTC, datetime

import pytest

from diagnostics.models import PeerCheck

NOON = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)


@pytest.fixture
def clusters(cluster_factory):
    return cluster_factory("cup1"), cluster_factory("cup2")


@pytest.fixture
def peer(clusters, peer_factory):
    return peer_factory(*clusters)


@pytest.fixture
def check(peer):
    """Store a check of the peer as a collection does."""

    def make(at=NOON, outcome="passed", associated=None, remote=None, of=None):
        users = {"associated_users": associated, "remote_users": remote}
        return PeerCheck.objects.create(
            peer=of or peer, at=at, outcome=outcome, **users
        )

    return make
