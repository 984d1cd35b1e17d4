import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tests.wire.server import rows
from wire import WireError
from wire.row_parser import RowReader
from wire.xml import text_of


def reply(*each):
    return rows(*each).partition(b"\r\n\r\n")[2]


def read_rows(body, size=None):
    reader = RowReader("cup1")
    size = size or len(body)
    found = []
    for at in range(0, len(body), size):
        found += reader.feed(body[at : at + size])
    return found + reader.close()


cell = st.sampled_from(
    ["1", "", "M\u00fcller", "a&amp;b", "<![CDATA[<row><a>x</a></row>]]>", " \r\n"]
    + ["<!-- </row> -->y", "&#65;", "<b>z</b>", "]]&gt;"]
)
shape = st.sampled_from(
    ["<a>{}</a>", "<a>{}</a><b/>", "<b>{}</b><a/>", "<A>{}</A>", "<a x='1'>{}</a>"]
    + ["<n:a xmlns:n='x'>{}</n:a>", "<a>{}</a><c>2</c>"]
)
row = st.builds(str.format, shape, cell)


@given(st.lists(st.one_of(row, st.just("<a>1</a><b>2</b>")), max_size=12))
def test_rows_are_what_a_plain_parser_reads(texts):
    body = reply(*texts)
    expected = [
        {etree.QName(x).localname.lower(): text_of(x) for x in each}
        for each in etree.XML(body, etree.XMLParser(remove_comments=True)).iter("row")
        if each.getparent().tag == "return"
    ]
    assert read_rows(body) == expected


@given(st.lists(row, max_size=8), st.integers(1, 50))
def test_pieces_of_any_size_give_the_same_rows(texts, size):
    body = reply(*texts)
    assert read_rows(body, size) == read_rows(body)


@pytest.mark.parametrize(
    "quoted",
    [
        "<row><a>1</a></row ><!-- </row><row><a>2</a></row> -->",
        "<row><a>1</a></row ><?x </row><row><a>2</a></row> ?>",
        "<row><a>1</a></row><!-- <row><a>2</a></row> -->",
    ],
)
def test_rows_in_quotation_are_not_rows(quoted):
    body = reply("<a>0</a>").replace(b"</return>", quoted.encode() + b"</return>")
    assert read_rows(body) == [{"a": "0"}, {"a": "1"}]


def test_many_odd_rows_are_still_read():
    texts = ["<a>&amp;</a>"] * 300 + ["<a>1</a>"] * 300
    assert len(read_rows(reply(*texts), 997)) == 600


def test_row_without_an_end_is_an_error_and_not_held():
    reader = RowReader("cup1")
    reader.feed(reply("<a>1</a>").partition(b"</return>")[0])
    for _ in range(20):
        reader.feed(b"<row><a>" + b"x" * 65536)
    assert len(reader._held) < 400_000
    with pytest.raises(WireError):
        reader.close()


def test_row_inside_a_row_is_refused_and_a_column_of_that_name_is_not():
    column = reply("<row>x</row><a>1</a>", "<a>2</a>")
    assert read_rows(column) == [{"row": "x", "a": "1"}, {"a": "2"}]
    for inner in ("<row><a>2</a></row>", "<row><row><a>2</a></row></row>"):
        with pytest.raises(WireError):
            read_rows(reply(f"<a>1</a>{inner}", "<a>3</a>"))
