"""SIP as bytes: digests of the RFCs, messages, and what a hostile proxy sends."""

import asyncio
import random
from ipaddress import ip_network

import pytest

from bench.mutants import NASTY, mutate_body
from presence import PresenceCode, SipCanary, Stage, State, prove_by_sip
from presence.pidf import read_pidf, write_pidf
from presence.sip_digest import (
    Challenge,
    _response,
    authorization_header,
    read_challenge,
)
from presence.sip_message import (
    answer_to,
    host_of,
    read_datagram,
    take_message,
    uri_of,
    write_message,
)
from presence.sip_user import check_address
from wire import Code, NodeAddress, Policy, Secret, WireError, run_loop

NOTIFY = (
    b"NOTIFY sip:anna@127.0.0.1:40000;transport=tcp SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 127.0.0.2:5060;branch=z9hG4bK1\r\n"
    b"f: <sip:ben@lab.example>;tag=77\r\nTo: <sip:anna@lab.example>;tag=88\r\n"
    b"Call-ID: CALL\r\nCSeq: 1 NOTIFY\r\nEvent: presence\r\n"
    b"Subscription-State: active;expires=60\r\nContent-Type: application/pidf+xml\r\n"
    b"Content-Length: LENGTH\r\n\r\n"
)
ACCEPTED = (
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.1:40000\r\n"
    b"From: <sip:anna@lab.example>;tag=88\r\nTo: <sip:ben@lab.example>;tag=77\r\n"
    b"Call-ID: CALL\r\nCSeq: NUMBER METHOD\r\nSIP-ETag: e1\r\n"
    b"Contact: <sip:127.0.0.2:5060>\r\nContent-Length: 0\r\n\r\n"
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_digest_is_that_of_rfc_7616(algorithm, response):
    challenge = Challenge(
        "http-auth@example.org",
        "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        algorithm,
        ("auth",),
        "",
        False,
    )
    found = _response(
        challenge,
        "GET",
        "/dir/index.html",
        "Mufasa",
        Secret("Circle of Life"),
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        "00000001",
    )
    assert found == response


def test_the_digest_is_that_of_rfc_2617():
    challenge = Challenge(
        "testrealm@host.com",
        "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "MD5",
        ("auth",),
        "",
        False,
    )
    password = Secret("Circle Of Life")
    found = _response(
        challenge, "GET", "/dir/index.html", "Mufasa", password, "0a4f113b", "00000001"
    )
    assert found == "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize(
    "value",
    [
        "",
        'Basic realm="x"',
        'Digest realm="x"',
        'Digest nonce="n", algorithm=SHA3-512',
        'Digest nonce="n", qop="auth-int"',
        "Digest " + "x=" * 5000,
    ],
)
def test_a_challenge_that_cannot_be_answered_is_none(value):
    assert read_challenge(value) is None


def test_a_quoted_value_does_not_leave_its_quotes():
    challenge = read_challenge('Digest realm="a\\"b", nonce="n", opaque="o"')
    header = authorization_header(challenge, "SUBSCRIBE", "sip:x", 'an"na', Secret("s"))
    assert 'username="an\\"na"' in header
    assert 'realm="a\\"b"' in header


def test_the_password_is_in_no_header():
    challenge = read_challenge('Digest realm="r", nonce="n", qop="auth"')
    header = authorization_header(
        challenge, "PUBLISH", "sip:x", "anna", Secret("sesame")
    )
    assert "sesame" not in header


def test_messages_are_taken_off_a_stream_one_by_one():
    data = b"\r\n\r\n" + NOTIFY.replace(b"LENGTH", b"3") + b"abcSIP/2.0 200 OK\r\n"
    message, rest = take_message(data, "cup1")
    assert (message.method, message.body) == ("NOTIFY", b"abc")
    assert (message.tag("from"), message.sequence) == ("77", ("1", "NOTIFY"))
    assert take_message(rest, "cup1") == (None, rest)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"x" * 70_000,
        b"SIP/2.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: 9999999\r\n\r\n",
    ],
)
def test_what_is_no_message_is_refused(data):
    with pytest.raises(WireError) as raised:
        take_message(data, "cup1")
    assert raised.value.code is PresenceCode.UNRECOGNISED


def test_no_header_can_be_smuggled_in():
    with pytest.raises(WireError) as raised:
        write_message("SUBSCRIBE sip:x SIP/2.0", [("To", "a\r\nX: b")])
    assert raised.value.code is Code.VALUE


@pytest.mark.parametrize("uri", ["", "a b@x", "a>@x", "a@x\r\nTo: y", "<sip:x>"])
def test_a_user_that_is_no_address_is_refused(uri):
    with pytest.raises(WireError):
        check_address(uri)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ('"Ben, B" <sip:ben@CUP2.example;transport=tcp>;tag=1', "cup2.example"),
        ("sip:[2001:db8::1]:5060;lr", "2001:db8::1"),
        ("nothing", ""),
    ],
)
def test_hosts_of_addresses(address, host):
    assert host_of(uri_of(address)) == host


@pytest.mark.parametrize("state", [State.AWAY, State.BUSY, State.AVAILABLE])
def test_a_document_is_read_as_it_was_written(state):
    assert read_pidf(write_pidf("pres:a@x", state), "cup1") is state


def test_no_damaged_message_escapes_as_a_foreign_exception():
    chance = random.Random(4)
    whole = NOTIFY.replace(b"LENGTH", b"0")
    for _ in range(4_000):
        data = mutate_body(whole, chance)
        try:
            message, _ = take_message(data, "cup1")
            message = message or read_datagram(data, "cup1")
            answer_to(message, "200 OK")
            message.listed("record-route")
        except WireError as error:
            assert error.code in (PresenceCode.UNRECOGNISED, Code.VALUE)


class Script:
    """A proxy that answers each request with damaged messages."""

    def __init__(self, damage):
        self.damage = damage

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self.damage(self.answer(head)))
                await writer.drain()
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, head):
        message = read_datagram(head, "test")
        number, method = message.sequence
        call = message.first("call-id").encode()
        body = write_pidf("pres:b@x", State.AWAY)
        notify = NOTIFY.replace(b"LENGTH", str(len(body)).encode()) + body
        reply = ACCEPTED.replace(b"NUMBER", number.encode())
        both = reply.replace(b"METHOD", method.encode()) + notify
        return both.replace(b"CALL", call)


async def against(damage, seconds, patience):
    server = await asyncio.start_server(Script(damage).serve, "127.0.0.1", 0)
    node = NodeAddress(
        name="cup1",
        address="127.0.0.1",
        sip_port=server.sockets[0].getsockname()[1],
        username="anna",
        password=Secret("open sesame"),
        policy=Policy(networks=(ip_network("127.0.0.0/8"),)),
    )
    canary = SipCanary(node, "TCP", "anna", "lab.example")
    try:
        return await prove_by_sip(canary, canary, deadline=seconds, patience=patience)
    finally:
        server.close()


def test_the_script_is_understood_undamaged():
    seen = run_loop(against(lambda data: data, 20.0, 0.3))
    assert seen.error is None or seen.error.code in Code
    assert seen.seen is State.AWAY


def test_a_proof_against_a_damaged_proxy_ends_with_a_code():
    chance, stages = random.Random(6), set()
    for _ in range(40):
        seen = run_loop(against(lambda data: mutate_body(data, chance), 0.2, 0.1))
        assert seen.error is None or seen.error.code in {*Code, *PresenceCode}
        stages.add(seen.stage)
    assert stages <= set(Stage)


@pytest.mark.parametrize("nasty", NASTY)
def test_a_proof_against_nonsense_ends(nasty):
    seen = run_loop(against(lambda data: nasty, 0.2, 0.1))
    assert seen.stage in (Stage.SIGNED_IN, Stage.NOT_SET)
