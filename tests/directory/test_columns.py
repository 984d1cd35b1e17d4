import numpy as np
import pytest

from directory.addresses import valid_uri
from directory.column_builder import Builder, pack_columns
from directory.columns import INVALID_URI, KINDS, Columns, User

ODD = [
    "o'neil",
    'quo"te',
    "Ünïcödé ß",
    " two spaces ",
    "emoji 🦜",
    "semi;colon--",
    "x" * 255,
    "",
]


def columns_of(*users):
    builder = Builder()
    builder.add(users)
    return Columns(b"".join(builder.finish()))


def user(userid, node="n1", **more):
    return User(userid, more.get("uri", ""), "", more.get("number", ""), node)


def test_odd_texts_come_back_as_they_were():
    columns = columns_of(*map(user, ODD))
    assert [columns.user(row).userid for row in range(len(ODD))] == ODD


@pytest.mark.parametrize("text", [text for text in ODD if text])
def test_odd_texts_are_found_in_any_case(text):
    columns = columns_of(*map(user, ODD))
    (found,) = columns.find("userid", text.upper() if "ß" not in text else text)
    assert found[1].userid == text


def test_equal_ids_in_other_case_are_both_found():
    columns = columns_of(user("Bob"), user("eve"), user("bob"))
    assert [u.userid for _, u in columns.find("userid", "BOB")] == ["Bob", "bob"]


def test_nothing_is_found_among_nobody():
    assert columns_of().find("userid", "bob") == []


def test_an_empty_value_is_found_by_nobody():
    assert columns_of(user("bob", uri="")).find("directory_uri", "") == []


def test_users_are_counted_by_their_node():
    builder = Builder()
    builder.add([user("x", node) for node in ("b", "a", "b", "")])
    assert builder.counts() == {"b": 2, "a": 1, "": 1}


URIS = ["a@example.com", "", "  ", "no.at", "a@b@c", "sip:a@example.com", "ä@x.com"]
URIS += ["@x.com", "a@", "a@-x.com", "a b@x.com", "o'neil+1@x-1.example", "a@x_y.com"]
URIS += [
    "x" * 250 + "@x.com",
    "x" * 248 + "@x.com",
    "😀@x",
    "a@x.com\n",
    "b@example.com",
]


@pytest.mark.parametrize("uris", [URIS, URIS[::-1], *([uri] for uri in URIS)])
def test_invalid_uris_are_told_wherever_they_stand(uris):
    columns = columns_of(*(user(f"u{n}", uri=uri) for n, uri in enumerate(uris)))
    wrong = [bool(uri.strip()) and not valid_uri(uri) for uri in uris]
    assert columns.flagged(INVALID_URI).tolist() == wrong


def test_a_snapshot_of_before_is_still_read():
    """The texts of a user had no separator behind the last one."""
    arrays = {
        "heap": np.frombuffer(b"bob\0\0\0" + b"eve\0\0\x0042", "<u1"),
        "ends": np.array([6, 14], "<u8"),
        "node": np.zeros(2, "<u2"),
        "flags": np.zeros(2, "<u1"),
    }
    for kind in KINDS:
        arrays[f"{kind} hashes"] = np.empty(0, "<u8")
        arrays[f"{kind} rows"] = np.empty(0, "<u4")
    columns = Columns(b"".join(pack_columns(arrays, {"nodes": [""]})))
    users = [columns.user(row) for row in (0, 1)]
    assert [(one.userid, one.number) for one in users] == [("bob", ""), ("eve", "42")]
