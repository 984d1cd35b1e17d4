"""Presence over XMPP, against servers that are not ours."""

from dataclasses import replace
from importlib.util import find_spec
from ipaddress import ip_network

import pytest

from presence import PresenceCode, Stage, State, XmppCanary, prove_by_xmpp
from presence.starttls import fetch_starttls_certificate
from tests.conftest import missing
from tests.presence import prosody
from tests.presence.prosody import Server, free_port
from wire import Code, Deadline, NodeAddress, Policy, Secret, Trust, run_loop

pytestmark = pytest.mark.servers

POLICY = Policy(networks=(ip_network("127.0.0.0/8"),))
FIRST, SECOND, THIRD = "127.78.0.1", "127.78.0.2", "127.78.0.3"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Two servers that reach each other."""
    if not prosody.is_installed():
        missing("xmpp", "there is no Prosody on this machine")
    if find_spec("slixmpp") is None:
        missing("xmpp", "slixmpp is not installed")
    folder = tmp_path_factory.mktemp("prosody")
    pair = {"a": Server(FIRST, folder / "a"), "b": Server(SECOND, folder / "b")}
    try:
        pair["a"].start("anna", "anton")
        pair["b"].start("ben", "bella", "boris")
        yield pair
    finally:
        for server in pair.values():
            server.stop()


@pytest.fixture
def third(servers, tmp_path):
    """Start a server of another kind."""
    started = []

    def start(*users, **changes):
        server = Server(THIRD, tmp_path / "c", **changes)
        started.append(server)
        server.start(*users)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def canary(servers):
    def make(userid, server=None, password=prosody.PASSWORD, **changes):
        server = server or servers[userid[0]]
        node = NodeAddress(
            name=f"{server.folder.name}-pub",
            address=server.address,
            username=userid,
            password=Secret(password),
            trust=Trust(fingerprint=changes.pop("pin", server.fingerprint)),
            policy=POLICY,
        )
        port, domain = server.port, server.domain or server.address
        return replace(XmppCanary(node, port, userid, domain), **changes)

    return make


def proven(watcher, watched, patience=20.0):
    return run_loop(prove_by_xmpp(watcher, watched, deadline=60.0, patience=patience))


@pytest.mark.parametrize(("watcher", "watched"), [("anna", "ben"), ("ben", "anna")])
def test_presence_arrives_and_a_message_comes_back(canary, watcher, watched):
    seen = proven(canary(watcher), canary(watched))
    assert (seen.stage, seen.seen) == (Stage.ARRIVED, State.AWAY)
    assert seen.latency_ms > 0
    assert seen.message_ms > 0
    assert seen.restored


def test_contacts_that_were_added_are_removed(canary, servers):
    assert proven(canary("anna"), canary("boris")).restored
    for server in servers.values():
        for kept in server.folder.glob("*/roster/*.dat"):
            assert "boris" not in kept.read_text()
            assert "anna" not in kept.read_text()


def test_a_contact_that_was_there_stays(canary):
    from presence.xmpp_user import signed_in

    watcher, watched = canary("anna"), canary("bella")

    async def befriend():
        async with (
            signed_in(watcher.node, watcher.port, watcher.uri, Deadline(20)) as one,
            signed_in(
                watched.node, watched.port, watched.uri, Deadline(20), watcher.uri
            ),
        ):
            one.subscribe(watched.uri)
            while (
                heard := await one.hear(Deadline(20))
            ) and heard.kind != "subscribed":
                pass

    async def is_known():
        clock = Deadline(20)
        async with signed_in(watcher.node, watcher.port, watcher.uri, clock) as one:
            return await one.knows(watched.uri, clock)

    run_loop(befriend())
    assert proven(watcher, watched).arrived
    assert run_loop(is_known())


def test_a_wrong_password_is_named(canary):
    seen = proven(canary("anna", password="wrong"), canary("ben"))
    assert seen.stage is Stage.NOT_SIGNED_IN
    assert seen.error.code is PresenceCode.XMPP_SIGN_IN
    seen = proven(canary("anna"), canary("ben", password="wrong"))
    assert seen.stage is Stage.NOT_SET
    assert seen.error.code is PresenceCode.XMPP_SIGN_IN


def test_nothing_is_sent_where_the_certificate_is_another(canary, servers):
    log = servers["b"].folder / "prosody.log"
    before = log.stat().st_size
    seen = proven(canary("anna"), canary("ben", pin="ab" * 32))
    assert (seen.stage, seen.error.code) == (Stage.NOT_SET, Code.CERTIFICATE_CHANGED)
    with log.open() as lines:
        lines.seek(before)
        said = lines.read()
    assert "negotiation started" in said
    assert "<auth" not in said


def test_the_certificate_is_read_without_signing_in(servers):
    server = servers["a"]
    shown = run_loop(
        fetch_starttls_certificate(FIRST, server.port, POLICY, domain=FIRST)
    )
    assert shown.fingerprint == server.fingerprint


def test_a_server_without_tls_gets_no_password(canary, third):
    server = third("carl", tls=False)
    seen = proven(canary("carl", server), canary("ben"))
    assert seen.stage is Stage.NOT_SIGNED_IN
    assert seen.error.code is PresenceCode.XMPP_NO_TLS


def test_a_server_that_is_down_is_refused(canary):
    closed = free_port(SECOND)
    seen = proven(canary("anna"), canary("ben", port=closed))
    assert (seen.stage, seen.error.code) == (Stage.NOT_SET, Code.REFUSED)


def test_a_domain_that_the_node_does_not_serve_is_named(canary):
    seen = proven(canary("anna"), canary("ben", domain="other.example"))
    assert (seen.stage, seen.error.code) == (Stage.NOT_SET, PresenceCode.XMPP_DOMAIN)


def test_a_domain_that_does_not_resolve_has_no_way(canary, third):
    server = third("carl", domain="cup9.invalid")
    seen = proven(canary("anna"), canary("carl", server))
    assert (seen.stage, seen.error.code) == (Stage.SIGNED_IN, PresenceCode.XMPP_ROUTE)
    assert seen.error.detail == "remote-server-not-found"


def test_a_cluster_that_takes_no_other_has_no_way(canary, third):
    server = third("carl", s2s=False)
    seen = proven(canary("anna"), canary("carl", server))
    assert (seen.stage, seen.error.code) == (Stage.SIGNED_IN, PresenceCode.XMPP_ROUTE)


def test_a_user_whom_the_asked_server_does_not_know_is_unknown(canary, third):
    # At home on the third, by a domain that the second answers for.
    server = third("carl", domain=SECOND, s2s=False)
    seen = proven(canary("anna"), canary("carl", server), patience=4.0)
    assert seen.stage is Stage.UNKNOWN_USER


def test_a_blocked_watcher_is_told_from_the_rest(canary):
    watched = canary("boris")
    run_loop(block(watched, f"anton@{FIRST}"))
    seen = proven(canary("anton"), watched, patience=4.0)
    assert (seen.stage, seen.error) == (Stage.BLOCKED, None)


async def block(user, contact):
    from slixmpp.xmlstream import ET

    from presence.xmpp_user import signed_in

    clock = Deadline(20)
    async with signed_in(user.node, user.port, user.uri, clock) as one:
        request = one._client.Iq()
        request["type"] = "set"
        asked = ET.SubElement(request.xml, "{urn:xmpp:blocking}block")
        ET.SubElement(asked, "{urn:xmpp:blocking}item", {"jid": contact})
        await one._ask(request, clock)
