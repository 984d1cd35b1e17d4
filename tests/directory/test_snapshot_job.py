from directory import store
from directory.models import Snapshot
from jobs.models import Job
from tests.directory.conftest import carry, taken


def test_reads_the_users_of_every_generation(clusters):
    job = taken(*clusters)
    assert job.state == Job.State.SUCCEEDED, job.error
    assert [s.users for s in Snapshot.objects.order_by("cluster__name")] == [12, 8, 5]


def test_a_snapshot_tells_numbers_only_where_the_release_has_them(clusters):
    taken(*clusters)
    voice, _, presence = (store.latest()[one.pk] for one in clusters)
    assert voice.absent == []
    assert presence.absent == ["telephonenumber"]


def test_copies_are_told_from_own_users_by_their_home_node(clusters, lab):
    carry(lab, 0, 1)
    taken(clusters[0])
    nodes = Snapshot.objects.get().nodes
    own = {node.name for node in lab.clusters[0].nodes}
    assert sum(n for name, n in nodes.items() if name in own) == 12
    assert sum(nodes.values()) == 20
