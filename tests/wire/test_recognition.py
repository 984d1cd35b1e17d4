import asyncio
import dataclasses

import pytest

import wire.table_shape
from tests.wire import adversaries
from tests.wire.catalogues import NAMES, OWN, Made, SqliteAxl, made
from wire.catalogue import Questions
from wire.recognition import (
    KnownPeer,
    Recogniser,
    Recognition,
    RecognitionState,
    Surroundings,
)
from wire.table_shape import role_of

COLUMNS = ["peeraddress", "username", "password", "preferredprotocol", "phonemask"]
MESH = Surroundings(
    frozenset(OWN),
    frozenset({"b-pub.example.com", "127.9.1.1"}),
    known={"b-pub.example.com": KnownPeer("icuser")},
)
ROW = ("b-pub.example.com", "icuser", "cipher", "1", "")


def search(whole: Made, **options) -> Recognition:
    ask = Questions(whole.axl, pause=0, **options)
    return asyncio.run(Recogniser(ask, whole.mesh).run())


def one_table(*rows: tuple, mesh: Surroundings = MESH, **options) -> Recognition:
    axl = SqliteAxl(options.pop("refuse", ""))
    axl.create("zz_target", COLUMNS, list(rows))
    return search(Made(axl, mesh), **options)


@pytest.mark.parametrize("seed", range(60))
def test_search_of_a_made_up_catalogue_is_right_or_undecided(seed):
    whole = made(seed)
    found = search(whole)
    if found.state is RecognitionState.RECOGNISED:
        assert whole.plain
        assert found.chosen.table == whole.table
        assert found.chosen.columns == whole.columns
        assert found.chosen.protocol_values.items() <= whole.codes.items()
    assert found.queries <= 200
    assert (found.state is RecognitionState.RECOGNISED) == whole.plain


# What a table that is written may be called, in the order of adversaries.PEER.
WRITABLE = {
    "icsystem": ("peeraddress", "username", "password", "protocol"),
    "iclink": ("remotenode", "loginname", "cipherpass", "proto"),
}


@pytest.mark.parametrize("seed", range(100))
def test_search_among_adversaries_is_right_or_undecided(seed):
    whole = adversaries.made(seed)
    found = search(whole)
    assert found.queries <= 200
    if found.state is RecognitionState.RECOGNISED:
        assert found.chosen.table == whole.table
        columns = found.chosen.columns
        named = tuple(columns[role] for role in wire.table_shape.NEEDED)
        assert named == WRITABLE[whole.table]


def test_adversaries_do_not_make_every_search_undecided():
    states = [search(adversaries.made(seed)).state for seed in range(100)]
    assert RecognitionState.RECOGNISED in states


@pytest.mark.parametrize("seed", range(60))
def test_no_password_and_no_other_table_is_read(seed):
    whole = made(seed)
    search(whole)
    for text in whole.axl.queries:
        assert whole.columns["password"] not in text
        counts = text.startswith("select count(*) from")
        own = f" from {whole.table} " in text
        assert counts or own or "systables" in text


def test_codes_are_learnt_from_known_peers_only():
    mesh = dataclasses.replace(
        MESH, known={"b-pub.example.com": KnownPeer("icuser", "UDP")}
    )
    found = one_table(ROW, ("127.9.1.1", "icuser", "cipher", "7", ""), mesh=mesh)
    assert found.chosen.protocol_values == {"UDP": "1"}


def test_codes_that_contradict_each_other_leave_it_undecided():
    known = {
        "b-pub.example.com": KnownPeer("icuser", "TCP"),
        "127.9.1.1": KnownPeer("icuser", "TCP"),
    }
    mesh = dataclasses.replace(MESH, known=known)
    found = one_table(ROW, ("127.9.1.1", "icuser", "cipher", "7", ""), mesh=mesh)
    assert found.state is RecognitionState.AMBIGUOUS


def test_without_a_known_user_name_nothing_is_recognised():
    assert one_table(ROW, mesh=dataclasses.replace(MESH, known={})).state is (
        RecognitionState.AMBIGUOUS
    )


def test_an_empty_table_beside_it_leaves_it_undecided():
    axl = SqliteAxl()
    axl.create("zz_target", COLUMNS, [ROW])
    axl.create("aa_target", COLUMNS, [])
    assert search(Made(axl, MESH)).state is RecognitionState.AMBIGUOUS


def test_a_column_with_its_own_node_does_not_hide_it():
    axl = SqliteAxl()
    axl.create("zz_target", [*COLUMNS, "homenode"], [(*ROW, OWN[0])])
    found = search(Made(axl, MESH))
    assert found.state is RecognitionState.RECOGNISED
    assert found.chosen.columns["address"] == "peeraddress"


def test_empty_table_is_no_proof():
    found = one_table()
    assert found.state is RecognitionState.AMBIGUOUS
    assert found.candidates[0].table == "zz_target"


def test_other_user_names_than_the_known_leave_it_undecided():
    mesh = dataclasses.replace(MESH, known={"b-pub.example.com": KnownPeer("else")})
    assert one_table(ROW, mesh=mesh).state is RecognitionState.AMBIGUOUS


def test_table_with_own_nodes_is_refused():
    assert one_table(ROW, (OWN[0], "u", "p", "1", "")).state is RecognitionState.NONE


def test_subscribers_of_other_clusters_leave_it_undecided():
    mesh = dataclasses.replace(MESH, others=frozenset({"b-sub.example.com"}))
    found = one_table(ROW, ("b-sub.example.com", "u", "p", "1", ""), mesh=mesh)
    assert found.state is RecognitionState.AMBIGUOUS


def test_without_other_clusters_nothing_is_recognised():
    assert one_table(ROW, mesh=Surroundings(frozenset(OWN), frozenset())).state is (
        RecognitionState.AMBIGUOUS
    )


@pytest.mark.parametrize(
    "refuse", ["tabtype", "t.tabname, c.colname"], ids=["type", "join"]
)
def test_catalogue_that_answers_less_is_read_in_another_way(refuse):
    assert one_table(ROW, refuse=refuse).state is RecognitionState.RECOGNISED


def test_catalogue_that_is_refused_is_unreadable():
    assert one_table(ROW, refuse="systables").state is RecognitionState.UNREADABLE


@pytest.mark.parametrize("most", range(1, 8))
def test_without_questions_left_nothing_is_recognised(most):
    found = one_table(ROW, most=most)
    assert found.state in (RecognitionState.AMBIGUOUS, RecognitionState.RECOGNISED)
    assert found.queries <= most + 1


def test_more_tables_than_questions_leave_it_undecided():
    axl = SqliteAxl()
    axl.create("zz_target", COLUMNS, [ROW])
    for number in range(100):
        axl.create(f"other{number}", COLUMNS, [("x", "u", "p", "1", "")])
    found = search(Made(axl, MESH))
    assert found.state is RecognitionState.AMBIGUOUS
    assert found.queries <= 200


@pytest.mark.parametrize(
    ("role", "name"), [(role, name) for role, names in NAMES.items() for name in names]
)
def test_column_is_told_by_its_name(role, name):
    assert role_of(name) == role


@pytest.mark.parametrize("name", ["pw", "axl_pw", "encpw", "axlpswd"])
def test_short_names_of_passwords_are_told(name):
    assert role_of(name) == "password"


@pytest.mark.parametrize("name", ["fkapplicationuser", "pkid", "description", "zip1"])
def test_other_columns_hold_nothing_of_a_peer(name):
    assert role_of(name) is None
