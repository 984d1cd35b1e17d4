"""Presence over SIP, against proxies and presence servers that are not ours."""

from ipaddress import ip_network

import pytest

from presence import PresenceCode, SipCanary, Stage, State, prove_by_sip
from presence.by_sip import sip_agent
from presence.sip_message import host_of
from tests.conftest import missing
from tests.presence import kamailio
from tests.presence.kamailio import Proxy, free_port
from wire import Code, Deadline, NodeAddress, Policy, Secret, Trust, run_loop

pytestmark = pytest.mark.servers

POLICY = Policy(networks=(ip_network("127.0.0.0/8"),))
FIRST, SECOND = "127.77.0.1", "127.77.0.2"


@pytest.fixture(scope="module")
def proxies(tmp_path_factory):
    if kamailio.binary() is None or not kamailio.TABLES.exists():
        missing("sip", "there is no Kamailio on this machine")
    if not kamailio.has_tls():
        missing("sip", "this Kamailio lacks its module for TLS")
    folder = tmp_path_factory.mktemp("kamailio")
    first = Proxy("a", FIRST, free_port(FIRST), tls_port=free_port(FIRST))
    second = Proxy(
        "b",
        SECOND,
        free_port(SECOND),
        algorithm="SHA-256",
        tls_port=free_port(SECOND),
    )
    try:
        first.start(folder, second)
        second.start(folder, first, blocked="anton")
        yield {"a": first, "b": second}
    finally:
        first.stop()
        second.stop()


@pytest.fixture
def canary(proxies):
    def make(userid, transport="TCP", password=kamailio.PASSWORD, **changes):
        proxy = proxies[changes.pop("at", userid[0])]
        node = NodeAddress(
            name=f"{proxy.letter}-pub",
            address=proxy.address,
            sip_port=changes.pop("port", proxy.port),
            sip_tls_port=proxy.tls_port,
            trust=Trust(fingerprint=changes.pop("pin", proxy.fingerprint)),
            username=userid,
            password=Secret(password),
            policy=POLICY,
        )
        domain = changes.pop("domain", kamailio.DOMAIN)
        return SipCanary(node, transport, userid, domain)

    return make


def proven(watcher, watched, patience=20.0):
    return run_loop(prove_by_sip(watcher, watched, deadline=60.0, patience=patience))


@pytest.mark.parametrize("transport", ["TCP", "UDP", "TLS"])
@pytest.mark.parametrize(("watcher", "watched"), [("anna", "ben"), ("ben", "anna")])
def test_presence_arrives_through_both_proxies(canary, watcher, watched, transport):
    seen = proven(canary(watcher, transport), canary(watched, transport))
    assert (seen.stage, seen.seen) == (Stage.ARRIVED, State.AWAY)
    assert seen.latency_ms > 0
    assert seen.restored


def test_the_answer_shows_that_the_host_was_rewritten(canary):
    seen = proven(canary("anna"), canary("ben"))
    contact, *records = map(host_of, seen.route)
    assert contact == SECOND
    assert FIRST in records


def test_what_was_published_is_taken_back(canary):
    assert proven(canary("anna"), canary("bella")).restored

    async def shown():
        async with sip_agent(canary("boris"), Deadline(20)) as user:
            await user.subscribe(canary("bella").uri)
            return await user.next_notice(Deadline(20))

    assert run_loop(shown()).state in (None, State.UNAVAILABLE)


def test_a_wrong_password_is_named(canary):
    seen = proven(canary("anna", password="wrong"), canary("ben"))
    assert (seen.stage, seen.error.code) == (Stage.NOT_SIGNED_IN, PresenceCode.DIGEST)
    seen = proven(canary("anna"), canary("ben", password="wrong"))
    assert (seen.stage, seen.error.code) == (Stage.NOT_SET, PresenceCode.DIGEST)


def test_a_user_whom_the_proxy_does_not_know_is_unknown(canary):
    seen = proven(canary("anna"), canary("xavier", at="b"))
    assert seen.stage is Stage.UNKNOWN_USER


def test_a_user_of_another_domain_is_unknown(canary):
    seen = proven(canary("anna"), canary("ben", domain="other.example"))
    assert seen.stage is Stage.UNKNOWN_USER


def test_a_remote_proxy_whose_name_does_not_resolve_is_told(canary, proxies, tmp_path):
    lonely = Proxy("c", "127.77.0.3", free_port("127.77.0.3"))
    lonely.start(tmp_path, Proxy("d", "cup9.invalid", 5060))
    try:
        proxies["c"] = lonely
        seen = proven(canary("clara"), canary("dora", at="b"))
    finally:
        lonely.stop()
    assert (seen.stage, seen.error.code) == (Stage.SIGNED_IN, PresenceCode.SIP_STATUS)
    assert seen.error.detail.startswith("478")


def test_a_blocked_watcher_is_refused(canary):
    seen = proven(canary("anton"), canary("ben"))
    assert (seen.stage, seen.error.code) == (Stage.SIGNED_IN, PresenceCode.FORBIDDEN)


def test_a_proxy_that_is_down_is_refused(canary):
    closed = free_port(FIRST)
    seen = proven(canary("anna", port=closed), canary("ben"))
    assert (seen.stage, seen.error.code) == (Stage.NOT_SIGNED_IN, Code.REFUSED)
    seen = proven(canary("anna"), canary("ben", port=closed))
    assert (seen.stage, seen.error.code) == (Stage.NOT_SET, Code.REFUSED)


def test_a_remote_proxy_that_is_down_is_seen_by_the_watcher(canary, proxies, tmp_path):
    lonely = Proxy("c", "127.77.0.3", free_port("127.77.0.3"))
    gone = Proxy("d", "127.77.0.4", free_port("127.77.0.4"))
    lonely.start(tmp_path, gone)
    try:
        proxies["c"] = lonely
        seen = proven(canary("clara"), canary("dora", at="b"))
    finally:
        lonely.stop()
    assert seen.stage is Stage.SIGNED_IN
    assert seen.error.code is PresenceCode.SIP_STATUS


def test_nothing_is_sent_over_tls_to_another_certificate(canary):
    seen = proven(canary("anna", "TLS", pin="ab" * 32), canary("ben", "TLS"))
    assert seen.stage is Stage.NOT_SIGNED_IN
    assert seen.error.code is Code.CERTIFICATE_CHANGED
    seen = proven(canary("anna", "TLS", pin=""), canary("ben", "TLS"))
    assert seen.error.code is Code.CERTIFICATE_UNKNOWN


@pytest.mark.parametrize("method", ["TLSv1.2", "TLSv1.2+"])
def test_a_proxy_that_wants_a_certificate_of_ours_says_so(
    canary, proxies, tmp_path, method
):
    strict = Proxy(
        "s",
        "127.77.0.5",
        free_port("127.77.0.5"),
        tls_port=free_port("127.77.0.5"),
        wants_certificate=True,
        tls_method=method,
    )
    strict.start(tmp_path, proxies["b"])
    try:
        proxies["s"] = strict
        seen = proven(canary("sara", "TLS"), canary("ben", "TLS"))
    finally:
        strict.stop()
    assert seen.stage in (Stage.NOT_SIGNED_IN, Stage.SIGNED_IN)
    assert seen.error.code is PresenceCode.CLIENT_CERTIFICATE
