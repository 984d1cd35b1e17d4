"""Damaged replies by XMPP never raise anything but the error of the wire's family."""

import asyncio
import random
import re
import ssl
from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from ipaddress import ip_network
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from bench.mutants import NASTY, mutate_body
from presence import (
    PresenceCode,
    Stage,
    XmppCanary,
    by_xmpp,
    fetch_starttls_certificate,
    prove_by_xmpp,
)
from tests.conftest import missing
from wire import Code, NodeAddress, Policy, Secret, WireError, run_loop

PASSWORD = "open sesame 5222"
NODE = NodeAddress(
    name="cup1",
    address="127.0.0.1",
    username="anna",
    password=Secret(PASSWORD),
    policy=Policy(networks=(ip_network("127.0.0.0/8"),)),
)
ANNA = XmppCanary(NODE, 5222, "anna", "x.example")
BEN = replace(ANNA, userid="ben")
STREAM = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='7' version='1.0' "
    b"xmlns:stream='http://etherx.jabber.org/streams' from='x.example'>"
)
MECHANISMS = (
    b"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    b"<mechanism>PLAIN</mechanism></mechanisms></stream:features>"
)
BIND = (
    b"<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    b"</stream:features>"
)
SUCCESS = b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
STATES = (
    b"<presence from='ben@x.example' to='anna@x.example' type='subscribed'/>"
    b"<presence from='ben@x.example/1' to='anna@x.example'><show>away</show></presence>"
    b"<presence from='ben@x.example/1' to='anna@x.example'><show>dnd</show></presence>"
)
BOUND = (
    "<iq type='result' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<jid>anna@x.example/1</jid></bind></iq>"
)
LIST = (
    "<iq type='result' id='{id}'><query xmlns='jabber:iq:roster'>"
    "<item jid='carl@x.example' subscription='both'/></query></iq>"
)
BACK = "<message from='ben@x.example/1' type='chat'><body>{body}</body></message>"


class Server:
    """A transport at whose other end a server answers, rightly but for the damage."""

    def __init__(self, damage):
        self.damage, self.streams, self.closed = damage, 0, False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls = context.wrap_bio(
            ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="x.example"
        )

    def set_protocol(self, protocol):
        self.protocol = protocol

    def get_extra_info(self, name, default=None):
        return self.tls if name == "ssl_object" else default

    def write(self, data):
        if answer := self.answer(data.decode()):
            loop = asyncio.get_running_loop()
            loop.call_soon(self.deliver, self.damage(answer))

    def deliver(self, data):
        if not self.closed:
            self.protocol.data_received(data)

    def abort(self):
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    close = abort

    def answer(self, text):
        found = re.search(r'id="([^"]+)"', text)
        number = found[1] if found else ""
        if "<stream:stream" in text:
            self.streams += 1
            return STREAM + (MECHANISMS if self.streams == 1 else BIND)
        if "<auth" in text:
            return SUCCESS
        if "xmpp-bind" in text:
            return BOUND.format(id=number).encode()
        if "jabber:iq:roster" in text:
            return LIST.format(id=number).encode()
        if 'type="subscribe"' in text:
            return STATES
        if "<body>" in text:
            body = re.search("<body>([^<]*)", text)[1]
            return BACK.format(body=body).encode()
        return b""


async def proven(damage, deadline=10.0):
    """Make a proof against such servers; no exception may get lost on the way."""
    lost = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: lost.append(told))

    async def secured(*args):
        server = Server(damage)
        return SimpleNamespace(
            writer=SimpleNamespace(transport=server), close=server.abort
        )

    with patch("presence.xmpp_user.secured", secured):
        seen = await prove_by_xmpp(ANNA, BEN, deadline=deadline, patience=deadline / 5)
    await asyncio.sleep(0)
    assert lost == []
    return seen


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    if find_spec("slixmpp") is None:
        missing("xmpp", "slixmpp is not installed")
    monkeypatch.setattr(by_xmpp, "FAREWELL", 0.05)
    monkeypatch.setattr(by_xmpp, "AT_ONCE", 0.05)


def test_the_server_of_these_tests_is_understood():
    seen = run_loop(proven(bytes))
    assert (seen.stage, seen.error) == (Stage.ARRIVED, None)
    assert seen.message_ms is not None


def test_no_damaged_reply_escapes_as_a_foreign_exception():
    chance, ends = random.Random(19), Counter()

    def damage(answer):
        return mutate_body(answer, chance) if chance.random() < 0.1 else answer

    for _ in range(150):
        seen = run_loop(proven(damage, deadline=0.3))
        ends[seen.error.code if seen.error else seen.stage] += 1
        assert PASSWORD not in f"{seen.error.__dict__ if seen.error else ''}"
    assert set(ends) <= {*Stage, *Code, *PresenceCode}
    assert ends[Stage.ARRIVED] > 5
    assert ends[PresenceCode.XMPP_UNRECOGNISED] > 5


@pytest.mark.parametrize("nasty", NASTY)
def test_a_proof_against_a_nasty_server_ends(nasty):
    seen = run_loop(proven(lambda answer: nasty, deadline=0.2))
    assert seen.stage is Stage.NOT_SIGNED_IN


@pytest.mark.parametrize(
    "evil",
    [
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><x>&a;</x>",
        STREAM.decode().encode("utf-16"),
        STREAM + b"<x>" + b"a" * 600_000,
        STREAM + b"<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:"
        b"xmpp-streams'>evil.example</see-other-host></stream:error>",
        STREAM + b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
        b"</stream:features><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    ],
    ids=["entities", "utf-16", "endless", "elsewhere", "tls again"],
)
def test_what_is_forbidden_ends_the_conversation(evil):
    seen = run_loop(proven(lambda answer: evil))
    assert seen.stage is Stage.NOT_SIGNED_IN
    refused = (PresenceCode.XMPP_UNRECOGNISED, PresenceCode.XMPP_REFUSED)
    assert seen.error.code in refused


def test_a_stranger_is_neither_approved_nor_answered():
    written = []
    stranger = (
        b"<presence from='eve@x.example' type='subscribe'/>"
        b"<message from='eve@x.example' type='chat'><body>hello</body></message>"
    )

    class Watching(Server):
        def write(self, data):
            written.append(data.decode())
            super().write(data)

    def damage(answer):
        return answer + stranger if b"jabber:iq:roster" in answer else answer

    with patch(f"{__name__}.Server", Watching):
        assert run_loop(proven(damage)).arrived
    assert not [text for text in written if "eve@" in text]


@pytest.mark.parametrize("nasty", NASTY)
def test_a_damaged_offer_of_tls_is_an_error_of_the_wire(nasty):
    async def greet(reader, writer):
        writer.write(nasty)
        await asyncio.sleep(0.2)
        writer.close()

    async def fetch():
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            with pytest.raises(WireError) as raised:
                await fetch_starttls_certificate(
                    "127.0.0.1", port, NODE.policy, domain="x.example", deadline=1.0
                )
            return raised.value.code
        finally:
            server.close()

    assert run_loop(fetch()) in {*Code, *PresenceCode}
