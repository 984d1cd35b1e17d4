"""Twenty clusters: every planted disagreement is found, and nothing else."""

import pytest

from directory import duplicates, orphans
from directory.comparison import ELSEWHERE, EXTRA, LISTS, MISSING, compare_listings
from directory.locator import candidate_users, locate_user
from directory.ownership import Directory
from lab import Lab
from peers.models import Peer
from tests.conftest import register
from tests.directory.conftest import carry, taken

CLUSTERS = 20
REMOTE = "tkuserprofile = 100"
NODE = "primarynodeid = (SELECT id FROM enterprisenode WHERE name = ?)"


@pytest.fixture(scope="module")
def lab():
    # The agents sleep: without peers they would take the copies away again.
    options = {"users": (6,), "sip": False, "dns": False, "agent_interval": 10**8}
    with Lab(CLUSTERS, 2, network="auto", shared_key=True, **options) as running:
        for home in range(CLUSTERS):
            for remote in range(CLUSTERS):
                if home != remote:
                    carry(running, home, remote)
        yield running


@pytest.fixture
def mesh(transactional_db, lab, peer_factory):
    """The console knows all clusters, and every pair is peered."""
    clusters = [register(reported) for reported in lab.describe()["clusters"]]
    for home in clusters:
        for remote in clusters:
            if home != remote:
                peer_factory(home, remote)
    return clusters


def found():
    """All that the directory says, as sets: entries by list, and duplicates."""
    directory = Directory()
    entries = {name: set() for name in LISTS}
    for peer in Peer.objects.select_related("cluster", "remote_cluster"):
        compared = compare_listings(directory, peer)
        for name in LISTS:
            for entry in compared.entries(name):
                pair = (peer.cluster.name, peer.remote_cluster.name)
                entries[name].add((*pair, entry.user.userid))
    shared = duplicates.find_duplicates(directory, *duplicates.KINDS)
    left = {
        (one.cluster.name, one.remote_name, user.userid)
        for one in orphans.find_leftovers(directory)
        for user in one.users()
    }
    return entries, {(one.kind, one.value) for one in shared}, left


def change(cluster, assignments, where, *values):
    rows = cluster.database.execute(
        f"UPDATE enduser SET {assignments} WHERE {where} RETURNING pkid", *values
    )
    assert len(rows) == 1


def plant(lab):
    """Put one disagreement of each kind in place; return what must be found."""
    one, two, three, four, five, *_ = lab.clusters
    entries = {name: set() for name in LISTS}
    # Lost on the way to the first cluster.
    lost = two.users()[0]
    one.database.execute(f"DELETE FROM enduser WHERE {REMOTE} AND userid = ?", lost)
    entries[MISSING].add((one.name, two.name, lost))
    # Removed at home, still shown by the nineteen others.
    ghost = three.users()[1]
    three.remove_users(ghost)
    for other in lab.clusters:
        if other is not three:
            entries[EXTRA].add((other.name, three.name, ghost))
    # Shown on the wrong node of the right cluster, by one cluster.
    astray = four.users()[2]
    right = four.sql(
        "select n.name from enduser u, enterprisenode n "
        f"where u.primarynodeid = n.id and u.userid = '{astray}'"
    )[0]["name"]
    (node,) = (node.name for node in four.nodes if node.name != right)
    change(five, NODE, f"{REMOTE} AND userid = ?", node, astray)
    entries[ELSEWHERE].add((five.name, four.name, astray))
    # Shown by one cluster as the user of a third.
    claimed = one.users()[3]
    change(four, NODE, f"{REMOTE} AND userid = ?", two.publisher.name, claimed)
    entries[MISSING].add((four.name, one.name, claimed))
    entries[EXTRA].add((four.name, two.name, claimed))
    entries[ELSEWHERE] |= {
        (four.name, one.name, claimed),
        (four.name, two.name, claimed),
    }
    plant_move(lab, entries)
    return entries, plant_addresses(lab), plant_leftovers(lab)


def plant_move(lab, entries):
    """A user moved, and one cluster has not noticed."""
    old, new, late = lab.clusters[15:18]
    moved, node = old.users()[4], new.publisher.name
    change(old, f"tkuserprofile = 100, {NODE}", "userid = ?", node, moved)
    change(new, f"tkuserprofile = 1, {NODE}", "userid = ?", node, moved)
    for other in lab.clusters:
        if other not in (old, new, late):
            change(other, NODE, f"{REMOTE} AND userid = ?", node, moved)
    entries[EXTRA].add((late.name, old.name, moved))
    entries[MISSING].add((late.name, new.name, moved))
    entries[ELSEWHERE] |= {(late.name, one.name, moved) for one in (old, new)}


def plant_leftovers(lab):
    """One peering that is no more, and a node of a cluster that was taken away."""
    thirteen, fourteen, fifteen = lab.clusters[12:15]
    names = {"cluster__name": thirteen.name, "remote_cluster__name": fourteen.name}
    assert Peer.objects.filter(**names).delete()[0]
    left = {(thirteen.name, fourteen.name, one) for one in fourteen.users()}
    fifteen.database.execute(
        "INSERT INTO enterprisenode (id, name) VALUES (900, 'gone.lab.example')"
    )
    fifteen.database.execute(
        "INSERT INTO enduser (userid, directoryuri, primarynodeid, tkuserprofile) "
        "VALUES ('stray', 'stray@lab.example', 900, 100)"
    )
    return left | {(fifteen.name, "no managed cluster", "stray")}


def plant_addresses(lab):
    """Addresses that are none, or another's; on the clusters seven to ten."""
    seven, eight, nine, ten = lab.clusters[6:10]
    first, second, third = (one.users()[0] for one in (seven, eight, nine))
    uri, mail = seven.sql(
        f"select directoryuri, mailid from enduser where userid = '{first}'"
    )[0].values()
    own = "tkuserprofile = 1 AND userid = ?"
    change(eight, "directoryuri = ?", own, uri.upper(), second)
    change(nine, "mailid = ?", own, mail.upper(), third)
    change(ten, "directoryuri = ''", own, ten.users()[0])
    change(ten, "directoryuri = 'not an address'", own, ten.users()[1])
    return {
        ("directory_uri", uri),
        ("mail_id", mail),
        ("empty_uri", ""),
        ("invalid_uri", "not an address"),
    }


def test_nothing_is_found_in_a_mesh_that_agrees(mesh, lab):
    assert not taken(*mesh).error
    assert found() == ({name: set() for name in LISTS}, set(), set())


def test_all_that_is_planted_is_found_and_nothing_else(mesh, lab):
    expected = plant(lab)
    assert not taken(*mesh).error
    assert found() == expected
    # In one screen: where is this user, and why does the first cluster not see it?
    lost = lab.clusters[1].users()[0]
    directory = Directory()
    located = locate_user(directory, *candidate_users(directory, lost))
    assert located.home.cluster.name == "cup2"
    assert [v.state for v in located.views if v.cluster.name == "cup1"] == ["absent"]
    assert sum(view.state == "seen" for view in located.views) == CLUSTERS - 2


def test_a_user_on_two_clusters_is_found_beside_them(mesh, lab):
    assert not taken(*mesh).error
    before = found()[1]
    twin = lab.clusters[10].users()[0]
    database = lab.clusters[11].database
    database.execute(f"DELETE FROM enduser WHERE {REMOTE} AND userid = ?", twin)
    database.execute(
        "INSERT INTO enduser (userid, directoryuri, primarynodeid) VALUES (?, ?, 1)",
        twin.upper(),
        "twin@lab.example",
    )
    assert not taken(*mesh).error
    entries, shared, _ = found()
    assert shared - before == {("userid", twin)}
    assert ("cup12", "cup11", twin) in entries[MISSING]
