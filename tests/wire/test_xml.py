import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import Code, WireError
from wire.xml import Scrubber, XmlStream, parse_message

START = b"<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>"
END = b"</e:Body></e:Envelope>"


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_scrubbed_pieces_are_what_the_whole_would_be(pieces):
    one, other = Scrubber(), Scrubber()
    whole = one.scrub(b"<" + b"".join(pieces), True)
    parts = other.scrub(b"<") + "".join(other.scrub(piece) for piece in pieces)
    assert parts + other.scrub(b"", True) == whole


@pytest.mark.parametrize("size", [1, 4096])
@pytest.mark.parametrize(
    "before", [b"\n", b"\xef\xbb\xbf", b"\r\n \xef\xbb\xbf\t", b" " * 600]
)
def test_blanks_before_the_declaration_are_left_out(before, size):
    body = before + b"<?xml version='1.0'?>" + START + b"<r>1</r>" + END
    scrubber, stream = Scrubber(), XmlStream("cup1", ("{*}r",))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    texts = [scrubber.scrub(piece) for piece in pieces] + [scrubber.scrub(b"", True)]
    assert [one.text for text in texts for one in stream.feed(text)] == ["1"]
    stream.close()


def test_text_that_is_right_stays_as_it_is():
    text = "<a>M\u00fcller \U0001f600 \t\r\n</a>"
    assert Scrubber().scrub(text.encode(), True) == text


@given(st.integers(1, 60))
def test_element_cut_anywhere_between_pieces_is_found(size):
    whole = (START + b"<r><row>M\xc3\xbcller</row><row/></r>" + END).decode()
    stream = XmlStream("cup1", ("{*}row",))
    texts = []
    for start in range(0, len(whole), size):
        texts += [x.text for x in stream.feed(whole[start : start + size])]
    stream.close()
    assert texts == ["M\u00fcller", None]


@pytest.mark.parametrize("size", [7, 4096])
def test_document_type_is_refused_however_it_is_cut(size):
    kind = "<!DOCTYPE x [<!ENTITY a 'b'>]>"
    whole = kind + (START + b"<r>&a;</r>" + END).decode()
    stream = XmlStream("cup1")
    with pytest.raises(WireError) as caught:
        for start in range(0, len(whole), size):
            list(stream.feed(whole[start : start + size]))
        stream.close()
    assert caught.value.code is Code.NOT_SOAP


def test_depth_without_end_is_refused():
    with pytest.raises(WireError):
        parse_message(START + b"<a>" * 10_000 + b"</a>" * 10_000 + END, "cup1")


def test_forbidden_character_reference_is_forgiven():
    message = parse_message(START + b"<r><a>x&#1;y</a></r>" + END, "cup1")
    assert message.text(message.content, "a").startswith("x")


def test_reference_of_axis_1_is_followed():
    body = (
        b"<r><item href='#i1'/></r>"
        b"<multiRef id='i1'><name href='#i2'/></multiRef><multiRef id='i2'>A</multiRef>"
    )
    message = parse_message(START + body + END, "cup1")
    [item] = message.children(message.content, "item")
    assert message.text(item, "name") == "A"


def test_reference_to_itself_ends():
    message = parse_message(START + b"<r id='a' href='#a'><x/></r>" + END, "cup1")
    assert message.children(message.content, "x") == [message.content[0]]


@pytest.mark.parametrize("text", ["", "abc", "1.5", "9" * 400, "\u0663"])
def test_bad_number_is_no_number(text):
    message = parse_message(START + f"<r><n>{text}</n></r>".encode() + END, "cup1")
    assert message.number(message.content, "n") is None
