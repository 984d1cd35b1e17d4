"""Published figures, and what is not published."""

import pytest

from sizing.limits import PLATFORMS, limits_of, published_figures, release_of


def limit(version, platform=None, generation=None):
    release = release_of(version, generation)
    found = limits_of(release, PLATFORMS[platform] if platform else None).per_cluster
    return found.value if found else None


@pytest.mark.parametrize(
    ("version", "platform", "users"),
    [
        ("7.0.5.10000-42", None, 30_000),
        ("7.0.5", "mcs7845", 30_000),
        ("7.0.5", "mcs7835", 15_000),
        ("7.0.5", "mcs7816", 3_000),
        ("8.6.4.10000-28", None, 45_000),
        ("12.5.1.10000-22", None, 75_000),
        ("12.5.1", "ova25000", 75_000),
        ("12.5.1", "ova15000", 45_000),
        ("14.0.1", "ova5000", 5_000),
        ("14.0.1", "ova15000", 15_000),
    ],
)
def test_users_per_cluster(version, platform, users):
    assert limit(version, platform) == users


@pytest.mark.parametrize(
    ("version", "platform"),
    [
        ("", None),
        ("nonsense", None),
        ("8.5.1", None),
        ("9.0.1", None),
        ("9.1.1", "ova15000"),
        ("11.5.1", None),
        ("12.5.1", "ova5000"),
        ("14.0.1", None),
        ("14.0.1", "ova25000"),
        ("15.0.1", "ova25000"),
        ("86.0", None),
    ],
)
def test_nothing_is_shown_where_nothing_is_published(version, platform):
    assert limit(version, platform) is None


def test_generation_stands_for_a_version_that_is_not_known():
    assert limit("", generation="cup7") == 30_000
    assert limit("", generation="imp") is None


def test_figures_that_contradict_each_other_are_listed():
    figures = release_of("9.0.1").disputed
    assert [one.value for one in figures] == [45_000, 30_000]


@pytest.mark.parametrize(
    ("version", "platform", "users", "derived"),
    [
        ("7.0.5", None, 5_000, False),
        ("7.0.5", "mcs7835", 2_500, True),
        ("9.0.1", "ova25000", 15_000, False),
        ("12.5.1", "ova15000", 15_000, True),
    ],
)
def test_users_per_node(version, platform, users, derived):
    found = limits_of(
        release_of(version), PLATFORMS[platform] if platform else None
    ).per_node
    assert (found.value, found.derived) == (users, derived)


def test_every_figure_names_its_source():
    assert all(one.source and one.value > 0 for _, _, one in published_figures())
