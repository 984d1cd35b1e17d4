import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from wire import Code, Secret, WireError, platforms, sql
from wire.soap import build_envelope

ONE_LITERAL = re.compile(r"'(?:[^']|'')*'")


@given(st.text(max_size=255))
def test_literal_is_exactly_one_literal_of_the_same_value(text):
    try:
        quoted = sql.sql_literal(text)
    except WireError as error:
        assert error.code is Code.VALUE
        return
    assert ONE_LITERAL.fullmatch(quoted)
    assert quoted[1:-1].replace("''", "'") == text


@given(st.text(st.characters(codec="utf-8"), max_size=255))
def test_literal_survives_the_envelope(text):
    try:
        quoted = sql.sql_literal(text)
    except WireError:
        return
    root = etree.fromstring(build_envelope("axl", "executeSQLQuery", "8.5", sql=quoted))
    assert root.findtext(".//sql") == quoted


@pytest.mark.parametrize(
    "text", ["a\nb", "a\x00", "\x85", "\u2028", "\ud800", "\ufffe", "x" * 256]
)
def test_literal_refuses_what_cannot_be_sent(text):
    with pytest.raises(WireError) as caught:
        sql.sql_literal(text)
    assert caught.value.code is Code.VALUE


@pytest.mark.parametrize("name", ["", "1a", "a b", "a;b", "a'", 'a"', "a.b", "a" * 129])
def test_identifier_refuses_all_but_names(name):
    with pytest.raises(WireError):
        sql.sql_identifier(name)


@given(st.text(max_size=100))
def test_like_pattern_has_no_wild_cards_of_the_user(text):
    assert not re.search(r"[%_]", re.sub(r"\\[%_\\]", "", sql.like_pattern(text)))


def test_query_fills_a_template():
    query = sql.build_query("columns_of", table="o'hara")
    assert query.text.endswith("t.tabname = 'o''hara'")


def test_query_without_its_value_is_refused():
    with pytest.raises(KeyError):
        sql.build_query("columns_of")


def test_page_keeps_a_unique_order():
    page = sql.build_query("users").page(800, 400)
    assert page.startswith("select skip 800 first 400 u.pkid,")
    assert page.endswith(" order by u.pkid")


def test_update_names_every_value():
    query = sql.update_query("x", "peers", {"a": "1", "b": Secret("p'w")}, {"c": "2"})
    assert query.text == "update peers set a = '1', b = 'p''w' where c = '2'"
    assert query.secrets == (Secret("p'w"),)


def test_query_does_not_show_its_text():
    query = sql.insert_query("x", "peers", {"password": Secret("open sesame")})
    assert "sesame" not in repr(query)


@pytest.mark.parametrize("generation", platforms.GENERATIONS)
def test_every_template_reads_and_nothing_else(generation):
    for template in platforms.profile_of(generation).sql.values():
        assert template.text.startswith("select ")
        assert ";" not in template.text


def test_users_of_a_node_that_is_not_listed_are_counted_under_no_name():
    database = sqlite3.connect(":memory:")
    database.executescript(
        """
        create table enterprisenode (id, name);
        create table enduser (primarynodeid);
        insert into enterprisenode values (1, 'imp1');
        insert into enduser values (1), (1), (2802), (null);
        """
    )
    rows = database.execute(sql.build_query("users_per_node").whole).fetchall()
    assert {name: count for _, name, count in rows} == {"imp1": 2, None: 1}
