"""What real clusters have: hidden peer tables, decoys, a mesh that runs, leftovers."""

import itertools

import pytest

from lab import Lab
from lab.control import run_command
from lab.decoys import DECOYS
from lab.peer_table import FORMS
from tests.waiting import eventually

from .client import query

OPTIONS = {"nodes": 2, "network": "auto", "agent_interval": 0.05, "agent_timeout": 1}
CATALOGUE = "select tabname from systables where tabname = 'enduser'"
COLUMNS = "select colname from informix.syscolumns"


@pytest.fixture(scope="module")
def odd_lab():
    """One cluster of each form, all of them peers, with decoys."""
    with Lab(
        clusters=5, users=(4, 3), **OPTIONS, forms=FORMS, decoys=True, peered=True
    ) as lab:
        yield lab


def synchronised(lab):
    total = sum(cluster.local_users for cluster in lab.clusters)
    return all(
        cluster.associated_users == total - cluster.local_users
        for cluster in lab.clusters
    )


def test_clusters_of_every_form_are_peers_at_start(odd_lab):
    assert eventually(lambda: synchronised(odd_lab))
    assert [c.database.peer_table.form for c in odd_lab.clusters] == list(FORMS)
    assert all(len(cluster.peers()) == 4 for cluster in odd_lab.clusters)


@pytest.mark.parametrize("number", range(5), ids=FORMS)
def test_entry_is_read_as_it_was_entered(odd_lab, number):
    home = odd_lab.clusters[number]
    values = {"address": "far.lab.example", "username": "u", "password": "p w"}
    home.add_peer(**values, protocol="UDP", mask="")
    found = next(p for p in home.peers() if p.address == "far.lab.example")
    assert {name: getattr(found, name) for name in values} == values
    assert found.protocol == "UDP"
    assert home.remove_peer("far.lab.example") == 1
    assert len(home.peers()) == 4


def test_tables_of_different_clusters_share_no_names(odd_lab):
    hidden = [c.database.peer_table for c in odd_lab.clusters[1:]]
    for one, other in itertools.combinations(hidden, 2):
        assert one.table != other.table
        assert one.columns["address"] != other.columns["address"]


def test_description_names_no_hidden_table(odd_lab):
    described = odd_lab.describe()["clusters"]
    assert described[0]["peer_table"]["table"] == "cupsinterclusterpeers"
    assert [one["peer_table"] for one in described[1:]] == [None] * 4
    assert run_command(odd_lab, ["tables", "cup2"])["table"] not in str(described)


def test_catalogue_lists_hidden_table_and_decoys(odd_lab):
    renamed = odd_lab.clusters[1]
    rows = query(renamed.publisher, "select tabname from systables").rows()
    names = {row["tabname"] for row in rows}
    assert {renamed.database.peer_table.table, *DECOYS} <= names
    assert not {name for name in names if name.startswith("lab_")}


@pytest.mark.parametrize("table", sorted(DECOYS))
def test_decoys_have_rows(odd_lab, table):
    (row,) = query(
        odd_lab.clusters[1].publisher, f"select count(*) from {table}"
    ).rows()
    assert int(row["count"]) > 0


def test_table_with_keys_has_no_user_name(odd_lab):
    keyed = odd_lab.clusters[2]
    column = keyed.database.peer_table.columns["username"]
    sql = f"select {column} from {keyed.database.peer_table.table}"
    rows = query(keyed.publisher, sql).rows()
    assert rows and all(len(row[column]) == 36 for row in rows)


def test_split_address_is_in_two_columns(odd_lab):
    split = odd_lab.clusters[3]
    column = split.database.peer_table.columns["address"]
    sql = f"select {column}, domainname from {split.database.peer_table.table}"
    for row in query(split.publisher, sql).rows():
        assert "." not in row[column] and row["domainname"] == "lab.example"


def test_table_of_the_right_shape_may_stay_empty(odd_lab):
    empty = odd_lab.clusters[4]
    table = empty.database.peer_table.table
    (row,) = query(empty.publisher, f"select count(*) from {table}").rows()
    assert row["count"] == "0" and len(empty.peers()) == 4
    assert query(empty.publisher, "select count(*) from lab_entry").status == 500


@pytest.mark.parametrize(
    ("value", "code"), [("refused", "-272"), ("missing", "-206"), ("no-role", "5003")]
)
@pytest.mark.parametrize("sql", [CATALOGUE, COLUMNS])
def test_catalogue_can_be_unreadable(cluster, value, code, sql):
    node = cluster.publisher
    assert query(node, sql).status == 200
    cluster.set_fault("catalogue", value)
    reply = query(node, sql)
    assert reply.status == 500 and f">{code}<" in reply.text
    assert query(node, "select count(*) from enduser").status == 200


def test_decoys_come_and_go_while_the_lab_runs(lab, cup8):
    run_command(lab, ["fault", "set", "cup2", "decoys=all"])
    assert set(DECOYS) <= set(run_command(lab, ["tables", "cup2"])["catalogue"])
    run_command(lab, ["fault", "clear", "cup2"])
    assert not set(DECOYS) & set(run_command(lab, ["tables", "cup2"])["catalogue"])
    assert query(cup8.publisher, f"select * from {min(DECOYS)}").status == 500


def test_copy_of_the_peer_table_has_its_rows(lab, cup8, imp):
    cup8.enter_peer(imp)
    run_command(lab, ["fault", "set", "cup2", "decoys=copy"])
    name = f"{cup8.database.peer_table.table}_bak"
    (row,) = query(cup8.publisher, f"select count(*) from {name}").rows()
    assert row["count"] == "1"
    run_command(lab, ["fault", "clear", "cup2", "decoys"])
    assert name not in run_command(lab, ["tables", "cup2"])["catalogue"]


def test_leftovers_of_a_deleted_peering_stay_and_stand_still(lab, cup8, imp):
    cup8.peer_with(imp)
    assert eventually(lambda: cup8.associated_users == imp.local_users)
    before = cup8.associated_users
    run_command(lab, ["fault", "set", "cup2", "agent=leftovers"])
    assert run_command(lab, ["peers", "remove", "cup2", "cup3"]) == "1 removed"
    added = imp.add_users(1)
    assert not eventually(lambda: cup8.associated_users != before, 0.5)
    run_command(lab, ["fault", "clear", "cup2"])
    assert eventually(lambda: cup8.associated_users == 0)
    imp.remove_users(*added)


def test_one_entry_is_entered_with_a_wrong_value(lab, cup8, imp):
    cup8.peer_with(imp)
    run_command(
        lab, ["peers", "enter", "cup2", "cup3", "protocol=TLS", "username=wrong"]
    )
    (entry,) = cup8.peers()
    assert (entry.protocol, entry.username) == ("TLS", "wrong")
    address = entry.address
    sentence = "Not reachable (HTTP status"
    assert eventually(lambda: cup8.agent.status.get(address, "").startswith(sentence))


@pytest.mark.parametrize("value", ["colour=red", "protocol"])
def test_entry_has_only_its_fields(lab, value):
    message = {"token": lab.control_token}
    words = ["peers", "enter", "cup2", "cup3", value]
    answer = lab.control.obey(message | {"words": words})
    assert not answer["ok"] and "FIELD=VALUE" in answer["error"]


def test_changed_password_stops_the_entries_that_keep_the_old():
    with Lab(clusters=2, users=3, **OPTIONS, peered=True) as lab:
        home, remote = lab.clusters
        assert eventually(lambda: synchronised(lab))
        run_command(lab, ["password", "cup2", "intercluster", "another"])
        remote.add_users(1)
        address = home.peers()[0].address
        sentence = "Not reachable (HTTP status"
        assert eventually(
            lambda: home.agent.status.get(address, "").startswith(sentence)
        )
        assert home.associated_users == 3
        assert remote.describe()["intercluster_password"] == "another"
        run_command(lab, ["peers", "enter", "cup1", "cup2"])
        assert eventually(lambda: home.associated_users == 4)


def test_password_of_an_unknown_user_is_refused(lab):
    with pytest.raises(KeyError):
        run_command(lab, ["password", "cup2", "somebody", "x"])


def test_kept_lab_goes_on_with_its_tables_and_passwords(tmp_path):
    options = {**OPTIONS, "users": 2, "state": tmp_path, "peered": True}
    with Lab(clusters=2, **options, forms=("split", "key"), decoys=True) as lab:
        lab.clusters[0].set_password("axladmin", "another")
        saved = [cluster.peers() for cluster in lab.clusters]
        lab.clusters[1].remove_peer(saved[1][0].address)
    with Lab(clusters=2, **options, decoys=True) as lab:
        assert [c.database.peer_table.form for c in lab.clusters] == ["split", "key"]
        assert [cluster.peers() for cluster in lab.clusters] == [saved[0], []]
        assert lab.clusters[0].axl_password == "another"


def test_unknown_form_is_refused():
    with pytest.raises(ValueError, match="nowhere"):
        Lab(clusters=1, network="auto", forms="nowhere").start()
