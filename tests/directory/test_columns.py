import pytest

from directory.columns import Builder, Columns, User

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
    return Columns(builder.finish())


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
