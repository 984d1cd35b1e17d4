import pytest

from lab import Lab
from tests.waiting import eventually

from .client import AGENT


@pytest.fixture
def pair(cup8, imp):
    """Two clusters of different generations that are peers of each other."""
    cup8.peer_with(imp)
    yield cup8, imp
    for cluster in (cup8, imp):
        cluster.publisher.service(AGENT[cluster.generation]).set("Started")


def carried(home, remote):
    return home.associated_users == remote.local_users


def test_users_are_carried_both_ways(pair):
    home, remote = pair
    assert eventually(lambda: carried(home, remote) and carried(remote, home))


def test_remote_copies_look_as_attested(pair):
    home, remote = pair
    assert eventually(lambda: carried(home, remote))
    row = home.sql(
        "select first 1 eu.tkuserprofile, eu.enablecups, en.name, "
        "eu.fkdirectorypluginconfig from enduser eu, enterprisenode en "
        "where eu.primarynodeid = en.id and eu.tkuserprofile = 100"
    )[0]
    assert row["name"] in {node.name for node in remote.nodes}
    assert (row["enablecups"], row["fkdirectorypluginconfig"]) == ("f", None)


def test_the_agent_really_asks_the_remote_publisher(pair):
    home, remote = pair
    assert eventually(lambda: carried(home, remote))
    call = next(c for c in reversed(remote.publisher.calls) if "enduser" in c.sql)
    assert call.source == home.publisher.address
    assert call.user == remote.intercluster_username


def test_new_users_are_carried_and_removed_ones_go(pair):
    home, remote = pair
    added = remote.add_users(3)
    assert eventually(lambda: set(added) <= _everyone(home))
    remote.remove_users(*added)
    assert eventually(lambda: not set(added) & _everyone(home))


def _everyone(cluster):
    return {row["userid"] for row in cluster.sql("select userid from enduser")}


def test_a_moved_user_is_local_elsewhere(pair):
    home, remote = pair
    userid = remote.add_users(1)[0]
    remote.move_user(userid, home)
    assert userid in home.users()
    assert eventually(lambda: carried(remote, home))
    home.remove_users(userid)


def test_copies_go_away_with_the_entry(pair):
    home, remote = pair
    assert eventually(lambda: carried(home, remote))
    home.remove_peer(remote.publisher.address)
    assert eventually(lambda: home.associated_users == 0)
    names = {row["name"] for row in home.sql("select name from enterprisenode")}
    assert names == {node.name for node in home.nodes}


@pytest.mark.parametrize("side", [0, 1])
def test_a_stopped_agent_on_either_side_leaves_stale_users(pair, side):
    home, remote = pair
    assert eventually(lambda: carried(home, remote))
    stopped = pair[side]
    stopped.publisher.service(AGENT[stopped.generation]).set("Stopped")
    added = remote.add_users(1)
    assert not eventually(lambda: carried(home, remote), 0.3)
    stopped.publisher.service(AGENT[stopped.generation]).set("Started")
    assert eventually(lambda: carried(home, remote))
    remote.remove_users(*added)


def test_without_the_entry_back_nothing_is_carried(cup8, imp):
    cup8.add_peer(
        imp.publisher.address, imp.intercluster_username, imp.intercluster_password
    )
    address = imp.publisher.address
    assert eventually(lambda: "no entry" in cup8.agent.status.get(address, ""))
    assert cup8.associated_users == 0


def test_a_wrong_password_carries_nothing_in_that_direction(cup8, imp):
    cup8.peer_with(imp)
    cup8.remove_peer(imp.publisher.address)
    cup8.add_peer(imp.publisher.address, imp.intercluster_username, "wrong")
    assert eventually(lambda: carried(imp, cup8))
    assert eventually(lambda: "401" in cup8.agent.status.get(imp.publisher.address, ""))
    assert cup8.associated_users == 0


def test_protocols_that_differ_carry_nothing(cup8, imp):
    cup8.peer_with(imp)
    imp.remove_peer(cup8.publisher.address)
    imp.add_peer(
        cup8.publisher.address,
        cup8.intercluster_username,
        cup8.intercluster_password,
        "TLS",
    )
    address = imp.publisher.address
    assert eventually(lambda: "differ" in cup8.agent.status.get(address, ""))
    assert (cup8.associated_users, imp.associated_users) == (0, 0)


@pytest.mark.parametrize("kind", ["name", "SERVICE", "Name."])
def test_a_peer_may_be_named_by_name_or_srv_name(cup8, imp, kind):
    cup8.peer_with(imp)
    cup8.remove_peer(imp.publisher.address)
    address = {
        "name": imp.publisher.name,
        "SERVICE": imp.service_name.upper(),
        "Name.": f"{imp.publisher.name.title()}.",
    }[kind]
    cup8.add_peer(address, imp.intercluster_username, imp.intercluster_password)
    assert eventually(lambda: carried(cup8, imp))


def test_a_name_that_dns_does_not_answer_is_not_reachable(pair):
    home, remote = pair
    remote.set_fault("dns", "no-ptr")
    address = remote.publisher.address
    assert eventually(lambda: "Not reachable" in home.agent.status.get(address, ""))


def test_a_stalling_peer_is_given_up(pair):
    home, remote = pair
    remote.publisher.set_fault("axl", "stall")
    address = remote.publisher.address
    assert eventually(lambda: "Not reachable" in home.agent.status.get(address, ""))


def test_the_agent_can_leave_users_out(pair):
    home, remote = pair
    home.set_fault("agent", "skip:4")
    assert eventually(lambda: home.associated_users == remote.local_users - 4)
    home.clear_faults()
    assert eventually(lambda: carried(home, remote))


def test_three_clusters_carry_only_their_own_users(lab):
    first, second, third = lab.clusters
    first.peer_with(second)
    second.peer_with(third)
    both = first.local_users + third.local_users
    assert eventually(lambda: second.associated_users == both)
    assert eventually(lambda: first.associated_users == second.local_users)


def test_numbers_are_carried_where_both_sides_keep_them(cup7, cup8):
    cup7.peer_with(cup8)
    assert eventually(lambda: carried(cup7, cup8))
    sql = "select first 1 telephonenumber from enduser where tkuserprofile = 100"
    assert cup7.sql(sql)[0]["telephonenumber"].isdigit()


def test_more_users_than_a_page_are_carried():
    with Lab(
        clusters=2, nodes=1, users=(12_000, 5), network="auto", agent_interval=0.1
    ) as lab:
        first, second = lab.clusters
        first.peer_with(second)
        assert eventually(lambda: second.associated_users == 12_000)
