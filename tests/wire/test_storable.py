"""No reader of the wire gives a text that a database or a page cannot hold."""

import re
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from pages.document import parse_page as parse_page
from pages.document import text_of as page_text
from tests.wire.test_row_parser import read_rows, reply
from wire.errors import WireError
from wire.sip import read_answer
from wire.tls import Handshake, read_certificate
from wire.xml import parse_message, text_of

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# As bytes of a body: NUL, references to it and to halves of a pair, CESU-8, cut UTF-8.
ODD = [b"\0", b"&#0;", b"&#x0;", b"&#xD800;", b"&#55296;", b"&#xDFFF;"]
ODD += [b"\xed\xa0\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\xf0\x9f\x98", b"\xc0\x80"]
ODD += [b"&#xD83D;&#xDE00;", b"<![CDATA[\0]]>", b"\xff\xfe"]
ENVELOPE = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><r>'
    b"<return>%s</return></r></s:Body></s:Envelope>"
)


def texts(value):
    """All texts of what a reader gave."""
    if is_dataclass(value):
        value = asdict(value)
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from texts(pair)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from texts(one)


def fine(value):
    return [text for text in texts(value) if UNSTORABLE.search(text)] == []


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("size", [None, 1, 7])
def test_rows(odd, size):
    body = reply("<a>x@@y</a>", "<a>z</a>")
    rows = read_rows(body.replace(b"@@", odd), size)
    assert len(rows) == 2 and fine(rows)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_messages(odd):
    message = parse_message(ENVELOPE % (b'<x n="q">a%sb</x>' % odd), "node")
    found = [text_of(element) or "" for element in message.content.iter()]
    assert fine(found)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_errors(odd):
    text = odd.decode("utf-8", "surrogatepass" if odd[:1] == b"\xed" else "replace")
    error = WireError("fault", text, node=text, remedy=text, detail=text)
    assert fine([error.message, error.remedy, error.detail])


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_reasons_of_sip(odd):
    head = b"SIP/2.0 200 O%sK\r\nCall-ID: 1\r\n\r\n" % odd
    answer = read_answer(head.decode("utf-8", "replace"), "1")
    assert answer is not None and fine(answer)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_pages(odd):
    body = b"<html><body><p title='a%sb'>c%sd</p></body></html>" % (odd, odd)
    part = parse_page(body, "text/html; charset=utf-8", "https://node/", "node")
    found = [page_text(part.root), *(e.get("title") or "" for e in part.root.iter())]
    assert fine(found)


@pytest.mark.parametrize("name", ["a\0b.example.com", "\0"])
def test_certificates(name):
    assert fine(read_certificate(Handshake(der=signed(name)), "node"))


def signed(name):
    key = ec.generate_private_key(ec.SECP256R1())
    kind = _ASN1Type.UTF8String
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name, kind)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    builder = builder.public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    builder = builder.add_extension(names, critical=False)
    made = builder.sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)
