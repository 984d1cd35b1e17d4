"""Rows under damage: all of them, or an error; never fewer.

What that means where the damage itself makes another message: it is the rows of that
message, as a second parser reads them that shares nothing with the reader (expat,
behind a repair of ampersands in a few lines). Only so may there be fewer. Damage in
one place cannot make such a message of rows that have columns and whose texts are
escaped: eight bytes are too few to take two rows for one without leaving a trace.
"""

import re
from xml.dom import expatbuilder
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.test_row_parser import read_rows, reply
from wire import Code, WireError
from wire.xml import parse_message

VERBATIM = re.compile(r"(<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>)", re.S)
REFERENCE = re.compile(r"&(?:(?:amp|lt|gt|quot|apos);|#(?:x([0-9a-fA-F]+)|(\d+));)?")
HALVES = re.compile("([\ud800-\udbff])([\udc00-\udfff])")
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NASTY = (
    *(b"&", b"&&", b"<", b">", b"/", b"&lt", b"&foo;", b"&#55357;", b"&#xd83d;"),
    *(b"&#0;", b"<!--", b"-->", b"<?x", b"?>", b"]]>", b"<b/>", b"</row>", b"<row>"),
    *(b"<b/>a", b"</a>", b"<a>", b"\xff", b"\x00", b"<!--a-->", b"<?x?>", b'"', b"x:"),
)


def repaired(text: str) -> str:
    """Repair a text without sections in it, slowly and all at once."""

    def instead(match: re.Match[str]) -> str:
        if match[0] == "&":
            return "&amp;"
        if match[1] is None and match[2] is None:
            return match[0]
        code = int(match[1], 16) if match[1] else int(match[2])
        return f"\x00{chr(code)}\x00" if code < 0x110000 else "\ufffd"

    text = REFERENCE.sub(instead, text.replace("]]>", "]]&gt;"))
    text = re.sub("\x00([\ud800-\udbff])\x00\x00([\udc00-\udfff])\x00", r"\1\2", text)
    text = HALVES.sub(
        lambda x: x[0].encode("utf-16", "surrogatepass").decode("utf-16"), text
    )
    return re.sub("\x00(.)\x00", lambda x: escape(x[1]), text, flags=re.S)


def seen_by_expat(body: bytes) -> list[dict[str, str]] | None:
    """Give the rows of a damaged reply, or None where no repair makes it a message."""
    text = body.decode("utf-8-sig", "replace").replace("\x00", "\ufffd")
    pieces = VERBATIM.split(re.sub(r"\A<\?xml .*?\?>", "", text, flags=re.S))
    pieces[::2] = map(repaired, pieces[::2])
    text = FORBIDDEN.sub("\ufffd", "".join(pieces))
    try:
        document = expatbuilder.parseString(text.encode(), namespaces=False)
        answer = _elements(_elements(document.documentElement)[-1])[0]
        [result] = _elements(answer)
    except (ExpatError, IndexError, ValueError):
        return None
    return [
        {_local(x).lower(): _value(x) for x in _elements(row)}
        for row in _elements(result)
        if _local(row) == "row"
    ]


def _elements(node):
    return [x for x in node.childNodes if x.nodeType == x.ELEMENT_NODE]


def _local(element):
    return element.tagName.rpartition(":")[2]


def _value(element):
    texts = (
        f"\ufffd{_value(x)}\ufffd" if x.nodeType == x.ELEMENT_NODE else x.data
        for x in element.childNodes
        if x.nodeType in (x.ELEMENT_NODE, x.TEXT_NODE, x.CDATA_SECTION_NODE)
    )
    return "".join(texts)


texts = st.text("ab<&>]/!-?;#x3 \u00e9\U0001f600", max_size=6)
tables = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.fixed_dictionaries(dict.fromkeys(("a", "b", "userid")[:width], texts)),
        max_size=8,
    )
)
hit = st.tuples(
    st.floats(0, 1),
    st.integers(0, 8),
    st.sampled_from(NASTY) | st.binary(max_size=8) | st.builds(bytes, st.lists(
        st.sampled_from(b"<>/&;!-?[]row ab=\"'"), max_size=8)),
)  # fmt: skip
byte = st.tuples(
    st.floats(0, 1),
    st.integers(0, 1),
    st.builds(bytes, st.lists(st.sampled_from(b"<>/&;!-?xr"), max_size=1)),
)
sizes = st.sampled_from((1, 3, 7, 50, 100_000))


def body_of(table):
    cells = (
        "".join(f"<{k}>{escape(v)}</{k}>" for k, v in row.items()) for row in table
    )
    return reply(*cells)


def damaged(body, place, length, instead):
    at = int(place * len(body))
    return body[:at] + instead[:8] + body[at + length :]


def survivors(body, size):
    """Give the rows that the reader found, with no text for none; or None."""
    try:
        found = read_rows(body, size)
    except WireError:
        return None
    return [{name: text or "" for name, text in row.items()} for row in found]


@settings(max_examples=400)
@given(tables, hit, sizes)
def test_damage_in_one_place_costs_no_row_without_an_error(table, blow, size):
    found = survivors(damaged(body_of(table), *blow), size)
    assert found is None or len(found) >= len(table)
    if found is not None and len(found) == len(table):
        assert sum(x != y for x, y in zip(found, table, strict=True)) <= 2


@settings(max_examples=400)
@given(tables, st.lists(byte, max_size=8), sizes)
def test_rows_under_any_damage_are_those_of_the_message_that_it_made(
    table, blows, size
):
    body = body_of(table)
    for blow in blows:
        body = damaged(body, *blow)
    found = survivors(body, size)
    assert found is None or found == seen_by_expat(body)


@settings(max_examples=200)
@given(tables, sizes)
def test_rows_without_damage_are_all_there(table, size):
    body = body_of(table)
    assert survivors(body, size) == table == seen_by_expat(body)


@pytest.mark.parametrize("size", [1, 2, 5, 23, 100_000])
@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        ("R&D", "R&D"),
        ("&", "&"),
        ("a&&amp;b&", "a&&b&"),
        ("a &lt b", "a &lt b"),
        ("http://x.test/?a=1&b=2;&c", "http://x.test/?a=1&b=2;&c"),
        ("&nbsp;&foo;", "&nbsp;&foo;"),
        ("&#xZ;&#;&#x;", "&#xZ;&#;&#x;"),
        ("&#65;&#x42;&#0;&#xFFFE;", "AB\ufffd\ufffd"),
        ("&#1114112;&#9999999999;", "\ufffd\ufffd"),
        ("&#55357;&#56832;&#xD83D;&#xDE00;", "\U0001f600" * 2),
        ("&#55357;", "\ufffd"),
        ("&#xDE00;&#xD83D;x", "\ufffd\ufffdx"),
        ("&#xD83D;&#xD83D;&#xDE00;", "\ufffd\U0001f600"),
        ("&#xD83D;&amp;", "\ufffd&"),
        ("a]]>b", "a]]>b"),
        ("a\ufffeb\x01", "a\ufffdb\ufffd"),
        ("<![CDATA[R&D <b> &#0; &amp;]]>&", "R&D <b> &#0; &amp;&"),
        ("<!-- & -->x<?y & ?>z", "xz"),
        ("1<b>2</b>3", "1\ufffd2\ufffd3"),
        ("<b/>", "\ufffd\ufffd"),
    ],
)  # fmt: skip
def test_what_is_not_xml_is_kept_or_marked_and_no_row_is_lost(sent, read_as, size):
    plain = "<a>1</a><b>2</b>"
    body = reply(plain, f"<a>{sent}</a><b>2</b>", *[plain] * 3)
    rows = [{"a": "1", "b": "2"}] * 5
    assert read_rows(body, size) == [rows[0], {"a": read_as, "b": "2"}, *rows[2:]]


@pytest.mark.parametrize(
    "result",
    [
        "<row><a>1</a></row><rox><a>1</a></rox><row><a>1</a></row>",
        "<row><a>1</a></row><rox><a>1</a></rox>",
        "<row><a>1</a><a>2</a></row>",
        "<row><a>1</a><A>2</A></row>",
        "<row><a>1</a><b/>aaaw><c>2</c></row>",
        "<row>1</row>",
        "<x><row><a>1</a></row></x>",
        "<row><a>1 < 2</a></row>",
        "<row><a>1</a></row><row><a>2</b></row>",
        "</return><return><row><a>1</a></row>",
    ],
)
def test_what_damage_makes_of_rows_is_refused(result):
    body = reply("<a>1</a>").replace(b"<row><a>1</a></row>", result.encode())
    with pytest.raises(WireError) as caught:
        read_rows(body)
    assert caught.value.code is Code.NOT_SOAP


def test_result_under_another_name_is_refused():
    with pytest.raises(WireError):
        read_rows(reply("<a>1</a>").replace(b"return>", b"retuxn>"))


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [("R&D Tool", "R&D Tool"), ("R<b/>D Tool", "R\ufffd\ufffdD Tool")]
    + [("R&#55357;&#56832;", "R\U0001f600"), ("R&#55357;D", "R\ufffdD")],
)
def test_text_of_a_message_is_never_shortened(sent, read_as):
    body = reply(f"<a>{sent}</a><b>Started</b>")
    message = parse_message(body, "cup1")
    row = message.child(message.child(message.content, "return"), "row")
    assert message.text(row, "a") == message.texts(row)["a"] == read_as
    assert message.text(row, "b") == "Started"
