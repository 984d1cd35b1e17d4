"""Each rule finds its case, and nothing beside it."""

from dataclasses import replace

import pytest

from sizing.deployment import ClusterSize, Deployment
from sizing.limits import PLATFORMS, release_of
from sizing.load import ASSUMED
from sizing.warnings import find_warnings


def size(name="Bonn", users=1_000, version="8.6.4", platform=None, **fields):
    found = PLATFORMS[platform] if platform else None
    release = release_of(version)
    return ClusterSize(name, name, release, users, platform=found, **fields)


def found(*clusters, link=None, **profile):
    here = Deployment(clusters, replace(ASSUMED, **profile), link)
    return {one.code: one.severity for one in find_warnings(here)}


def test_small_cluster_of_a_published_release_has_no_warning():
    assert found(size()) == {}


@pytest.mark.parametrize(
    ("cluster", "code", "severity"),
    [
        (size(users=None), "users-unknown", "unknown"),
        (size(version=""), "release-unknown", "unknown"),
        (size(version="11.5"), "limit-unknown", "unknown"),
        (size(version="12.5", platform="ova5000"), "limit-unknown", "unknown"),
        (size(version="9.0", users=20_000), "limit-disputed", "unknown"),
        (size(version="9.0", users=30_001), "limit-disputed", "warning"),
        (size(users=45_001), "users-over-limit", "failed"),
        (size(users=36_000), "users-near-limit", "warning"),
        (size(version="12.5"), "platform-unknown", "unknown"),
        (size(version="12.5", users=45_001), "platform-unknown", "warning"),
        (size(nodes=7), "nodes-over-limit", "failed"),
        (size(version="7.0", node_users={"a": 5_001}), "node-over-limit", "failed"),
        (
            size(version="7.0", users=16_000, nodes=6, redundant=True),
            "nodes-too-few",
            "warning",
        ),
        (
            size(version="7.0", users=15_001, nodes=6, redundant=True),
            "another-cluster",
            "failed",
        ),
        (size(version="12.5", users=75_000), "trace-level", "information"),
    ],
)
def test_cluster(cluster, code, severity):
    assert found(cluster)[code] == severity


@pytest.mark.parametrize(
    ("cluster", "code"),
    [
        (size(users=45_000), "users-over-limit"),
        (size(users=35_999), "users-near-limit"),
        (size(version="12.5", platform="ova15000"), "platform-unknown"),
        (size(nodes=6), "nodes-over-limit"),
        (size(version="7.0", node_users={"a": 5_000}), "node-over-limit"),
        (size(version="7.0", users=15_000, nodes=6, redundant=True), "nodes-too-few"),
        (size(version="7.0", users=30_000, nodes=6), "another-cluster"),
        (size(version="12.5", users=74_999), "trace-level"),
    ],
)
def test_cluster_at_the_limit_is_not_over_it(cluster, code):
    assert code not in found(cluster)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (23, {}),
        (24, "mesh-near-limit"),
        (30, "mesh-near-limit"),
        (31, "mesh-over-limit"),
    ],
)
def test_clusters_of_a_mesh(number, expected):
    clusters = [size(f"c{n}", 10, "12.5", "ova25000") for n in range(number)]
    assert set(found(*clusters)) == set([expected] if expected else [])


def test_clusters_of_older_releases_have_no_published_mesh_limit():
    assert found(*(size(f"c{n}") for n in range(40))) == {}


def test_small_template_matters_only_with_peers():
    small = size(version="14", platform="ova5000")
    assert "template-too-small" not in found(small)
    assert found(small, size("Kiel"))["template-too-small"] == "failed"


def test_release_9_needs_similar_hardware_everywhere():
    nine = size(version="9.1", platform="ova15000")
    assert "hardware-differs" not in found(nine, size("Kiel", platform="ova15000"))
    assert found(nine, size("Kiel", platform="ova5000"))["hardware-differs"]


def test_profile_is_compared_with_contact_lists():
    seven, twelve = size(version="7.0"), size(version="12.5", platform="ova25000")
    assert found(seven, contacts_per_user=100) == {}
    assert set(found(seven, contacts_per_user=150)) == {"contacts-over-average"}
    assert set(found(seven, contacts_per_user=201)) == {"contacts-over-limit"}
    assert set(found(twelve, watchers_per_user=201)) == {"watchers-over-limit"}


@pytest.mark.parametrize(
    ("link", "severity"),
    [(None, None), (3_000, None), (2_500, "warning"), (2_000, "failed")],
)
def test_load_is_compared_with_the_link(link, severity):
    clusters = size(users=5_000), size("Kiel", users=5_000)
    assert found(*clusters, link=link).get("link-saturated") == severity


def test_loaded_directions_are_one_warning_that_counts_them():
    clusters = tuple(size(f"c{n}", users=5_000) for n in range(5))
    here = Deployment(clusters, ASSUMED, 500)
    (one,) = [found for found in find_warnings(here) if found.code == "link-saturated"]
    assert one.severity == "failed"
    assert "19" in one.sentence


def test_worst_warning_comes_first():
    here = Deployment((size(users=None), size("Kiel", 50_000)))
    assert [one.severity for one in find_warnings(here)] == ["failed", "unknown"]
