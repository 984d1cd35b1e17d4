import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import Code, WireError, parse_host


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("CUP1", "cup1"),
        ("cup1.Example.com.", "cup1.example.com"),
        ("3com.example.com", "3com.example.com"),
        ("_sip._tcp.example.com", "_sip._tcp.example.com"),
        ("a" * 63 + ".example.com", "a" * 63 + ".example.com"),
    ],
)
def test_addresses_and_names_are_accepted(text, expected):
    assert parse_host(text).text == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Enter an address"),
        ("https://cup1", "scheme"),
        ("cup1:8443", "port"),
        ("cup 1", "spaces"),
        (" cup1", "spaces"),
        ("cup1\n", "spaces"),
        ("admin@cup1", "user name"),
        ("evil.com/@cup1", "user name"),
        ("cup1/axl", "path"),
        ("10.0.0.0/8", "path"),
        ("fe80::1%eth0", "zone"),
        ("[::1]", "brackets"),
        ("1:2:3", "IPv6"),
        ("127.1", "complete IPv4"),
        ("0x7f000001", "complete IPv4"),
        ("2130706433", "complete IPv4"),
        ("0", "complete IPv4"),
        ("10.0.0.256", "complete IPv4"),
        ("010.0.0.1", "complete IPv4"),
        ("cup1..lab", "empty part"),
        (".cup1", "empty part"),
        ("a" * 254, "253"),
        ("a" * 64, "63"),
        ("-cup1", "hyphen"),
        ("cup1-.example.com", "hyphen"),
        ("cup_1", "hyphen"),
        ("cüp1", "letters"),
        ("１２７.0.0.1", "letters"),
        ("cup1\x00", "letters"),
    ],
)
def test_each_mistake_has_its_sentence(text, words):
    with pytest.raises(WireError) as caught:
        parse_host(text)
    assert caught.value.code is Code.ADDRESS
    assert words in caught.value.message


@given(st.text(max_size=300))
def test_anything_is_a_host_or_an_address_error(text):
    try:
        assert parse_host(parse_host(text).text) == parse_host(text)
    except WireError as error:
        assert error.code is Code.ADDRESS
