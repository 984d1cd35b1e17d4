"""Damaged replies never raise anything but the error of the wire's family."""

import random
from collections import Counter
from unittest.mock import patch

import pytest

from bench.mutants import NASTY, NODE, Canned, mutate_body
from presence import PresenceCode
from presence.by_service import ServiceCanary, prove_by_service
from presence.pidf import read_pidf
from presence.service import PresenceService, UserSession
from wire import Code, Deadline, WireError, run_loop
from wire.http import Connection

KEY = b"<session><sessionKey>0123abcd</sessionKey></session>"
BASIC = b'<contacts><contact uri="b@x.example" status="AWAY"/></contacts>'
RICH = (
    b'<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="b@x.example"><person>'
    b"<activities><away/></activities></person><tuple id='1'><status><basic>open"
    b"</basic></status></tuple></presence>"
)
ERROR = b"<error><code>113</code><description>Error</description></error>"
CREATED = b"Location: /presence-service/endpoints/77\r\n"


def http(body, status=200, more=b""):
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n".encode()
    return head + more + b"\r\n" + body


async def sign_in(service):
    await service.sign_in()


async def endpoint(service):
    return await service.endpoint("http://127.0.0.1:9/")


async def subscribe(service):
    return await UserSession(service, "anna", "key").subscribe("b@x.example", "7")


async def poll(service):
    return await UserSession(service, "anna", "key").poll("7")


OPERATIONS = [
    (sign_in, http(KEY)),
    (lambda service: service.user("anna"), http(KEY)),
    (endpoint, http(b"", 201, CREATED)),
    (subscribe, http(b"", 201, CREATED)),
    (poll, http(BASIC)),
    (poll, http(RICH)),
    (poll, http(ERROR, 404)),
]


def replies(whole, chance):
    """Damage the body under a right length, or the whole reply."""
    head, _, body = whole.partition(b"\r\n\r\n")
    if body and chance.random() < 0.8:
        body = mutate_body(body, chance)
        status = int(head.split()[1])
        return http(body, status)
    return mutate_body(whole, chance)


async def torture(count, seed):
    chance, ends = random.Random(seed), Counter()
    data, closes = b"", True

    async def open_canned(node, port, clock):
        return Connection(node, Canned(data, closes))

    with patch.object(Connection, "open", open_canned):
        for number in range(count):
            call, whole = OPERATIONS[number % len(OPERATIONS)]
            data, closes = replies(whole, chance), chance.random() > 0.005
            try:
                await call(PresenceService(NODE, 8083, Deadline(0.05)))
                ends["understood"] += 1
            except WireError as error:
                assert "sesame" not in f"{error.__dict__}"
                ends[error.code] += 1
    return ends


def test_no_damaged_reply_escapes_as_a_foreign_exception():
    ends = run_loop(torture(3_000, seed=5))
    assert set(ends) <= {"understood", *Code, *PresenceCode}
    assert ends["understood"] > 50
    assert ends[PresenceCode.UNRECOGNISED] > 50


def test_no_damaged_presence_document_escapes():
    chance = random.Random(8)
    for _ in range(2_000):
        try:
            read_pidf(mutate_body(RICH, chance), "cup1")
        except WireError as error:
            assert error.code is PresenceCode.UNRECOGNISED


@pytest.mark.parametrize("nasty", NASTY)
def test_a_proof_against_a_damaged_service_ends(nasty):
    async def open_canned(node, port, clock):
        return Connection(node, Canned(http(nasty), True))

    canary = ServiceCanary(NODE, 8083, "anna", "x.example")
    with patch.object(Connection, "open", open_canned):
        seen = run_loop(
            prove_by_service(canary, canary, None, deadline=1.0, patience=0.1)
        )
    assert seen.error.code in {*Code, *PresenceCode}
