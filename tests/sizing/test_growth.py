"""More users, one more cluster."""

from sizing.deployment import ClusterSize, Deployment
from sizing.growth import more_users, one_more_cluster
from sizing.limits import release_of


def mesh(*users, version="8.6"):
    release = release_of(version)
    return Deployment(
        tuple(ClusterSize(f"c{n}", f"c{n}", release, u) for n, u in enumerate(users))
    )


def values(change):
    return {line.label: (line.now, line.then) for line in change.lines}


def test_three_clusters_as_one_mesh():
    here = mesh(4_000, 2_500, 1_200)
    assert [expected for _, expected in here.rows] == [3_700, 5_200, 6_500]
    assert (here.users, here.entries, here.links) == (7_700, 6, 3)
    assert here.associated_users == 15_400


def test_one_more_cluster_adds_two_entries_for_each_other():
    found = values(one_more_cluster(mesh(4_000, 2_500, 1_200), 300))
    assert found["Peer entries"] == (6, 12)
    assert found["Known users"] == (7_700, 8_000)
    assert found["Associated users"] == (15_400, 24_000)


def test_more_users_are_spread_in_proportion():
    change = more_users(mesh(30_000, 10_000), 10_000)
    assert [one.users for one in change.then.clusters] == [37_500, 12_500]
    assert [one.code for one in change.warnings] == ["users-near-limit"]


def test_thirty_first_cluster_is_one_too_many():
    change = one_more_cluster(mesh(*[10] * 30, version="12.5"), 10)
    assert [one.code for one in change.warnings] == ["mesh-over-limit"]


def test_unknown_users_stay_unknown():
    here = mesh(4_000, None)
    assert (here.users, here.associated_users, here.total_load) == (None, None, None)
    assert {d.kbit_per_second for d in here.directions} == {None}
    found = values(more_users(here, 10_000))
    assert found["Known users"] == (4_000, 14_000)
    assert found["Associated users"] == (None, None)


def test_no_cluster_and_no_user_are_no_error():
    assert mesh().directions == []
    assert mesh(0, 0).total_load == 0
    assert more_users(mesh(0, 0), 100).then.users == 0
    assert one_more_cluster(mesh(), 5).then.entries == 0


def test_load_of_two_clusters_is_that_of_the_model():
    here = mesh(5_000, 5_000)
    assert {d.kbit_per_second for d in here.directions} == {2_020.0}
