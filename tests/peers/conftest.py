"""An administrator at the pages, and a cluster to add peers to."""

import pytest


@pytest.fixture
def ada(administrator, client_of):
    return client_of(administrator)


@pytest.fixture
def madrid(cluster_factory):
    return cluster_factory("Madrid")
