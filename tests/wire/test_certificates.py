"""The certificate interface: whole answers, hostile ones, and a lab that syncs."""

import asyncio
import base64
import json
import random
from collections import Counter
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network
from unittest.mock import patch

import pytest

from bench.mutants import NASTY, NODE, Canned, mutate_body
from lab import Lab
from lab.platform import USERNAME, password_of
from tests.waiting import eventually
from tests.wire.server import CA_PEM, FINGERPRINT, Server, certificate, http
from wire import Code, NodeAddress, Policy, Secret, Trust, WireError, run_loop
from wire.certificates import certificate_snapshot, read_snapshot
from wire.http import Connection

OTHER = certificate("other.test")[0].decode()
OTHER = OTHER[OTHER.index("-----BEGIN CERTIFICATE") :]
ANSWER = {
    "server": "node.test",
    "trackingId": "1",
    "identities": [
        {"service": "tomcat", "certificate": CA_PEM, "csr": ""},
        {"service": "cup", "certificate": OTHER, "csr": ""},
    ],
    "trusts": [
        {
            "service": "tomcat-trust",
            "certificate_data": [
                {"filename": "a.pem", "certificate": OTHER, "notAfter": "never"},
                {"filename": "b.pem", "certificate": CA_PEM},
            ],
        },
        {"service": "cup", "certificate_data": []},
    ],
    "revokedCertificates": [],
}


def read(document):
    return read_snapshot(json.dumps(document).encode(), "node.test")


def test_an_answer_pairs_identities_with_the_trust_list_of_their_service():
    found = read(ANSWER)
    assert found.server == "node.test"
    assert found.identities["tomcat"].fingerprint == FINGERPRINT
    assert found.identities["cup"].common_name == "other.test"
    assert set(found.trusts) == {"tomcat", "cup"}
    assert {one.common_name for one in found.trusts["tomcat"].certificates} == {
        "node.test",
        "other.test",
    }
    assert found.trusts["cup"].certificates == ()


def test_a_certificate_is_read_from_its_pem_and_never_from_what_stands_beside_it():
    row = {"service": "tomcat", "certificate": CA_PEM, "notAfter": "2001-01-01"}
    found = read({**ANSWER, "identities": [row]})
    assert found.identities["tomcat"].days_left(found.identities["tomcat"].not_before)


@pytest.mark.parametrize("pem", [None, 7, "", "no certificate", "x" * 70_000])
def test_what_cannot_be_read_is_counted_and_never_left_out(pem):
    row = {"service": "tomcat", "certificate": pem}
    trust = {"service": "tomcat", "certificate_data": [row, {"certificate": OTHER}]}
    found = read({**ANSWER, "identities": [row], "trusts": [trust, 5, {}]})
    assert found.identities == {"tomcat": None}
    assert found.trusts["tomcat"].unreadable == 1
    assert len(found.trusts["tomcat"].certificates) == 1


def test_a_list_that_is_not_shown_is_not_an_empty_list():
    for trusts in (None, "x", [], [{"service": "cup", "certificate_data": []}]):
        assert "tomcat" not in read({**ANSWER, "trusts": trusts}).trusts
    found = read({**ANSWER, "trusts": [{"service": "tomcat"}]})
    assert found.trusts["tomcat"].unreadable == 1


def test_two_certificates_of_one_service_are_none():
    rows = [*ANSWER["identities"], {"service": "Tomcat", "certificate": OTHER}]
    assert read({**ANSWER, "identities": rows}).identities["tomcat"] is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"identities": []}',
        b'{"identities": {}}',
        b"<html>Please sign in</html>",
        b'{"identities": [{}], "identities": [{}]}',
        b"[" * 100_000,
        b"\xff\xfe",
        b"9" * 10_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_an_answer_that_is_no_list_of_certificates_breaks_the_protocol(body):
    with pytest.raises(WireError) as caught:
        read_snapshot(body, "node.test")
    assert caught.value.code is Code.PROTOCOL


def test_more_certificates_than_allowed_are_too_many():
    trust = {"service": "cup", "certificate_data": [1] * 20_001}
    with pytest.raises(WireError) as caught:
        read({**ANSWER, "trusts": [trust]})
    assert caught.value.code is Code.TOO_LARGE


def ask(*answers, deadline=20.0, **changes):
    async def main():
        async with Server(*answers) as server:
            node = replace(server.node(), **changes)
            return await certificate_snapshot(node, server.port, deadline=deadline)

    return run_loop(main())


def failure(answer, **changes):
    with pytest.raises(WireError) as caught:
        ask(answer, **changes)
    return caught.value


def test_the_question_goes_out_once_with_the_administrator_and_no_body():
    async def main():
        answer = http(200, json.dumps(ANSWER).encode(), kind="application/json")
        async with Server(answer) as server:
            node = replace(server.node(), username="os", password=Secret("a b"))
            await certificate_snapshot(node, server.port)
            return server.requests

    [request] = run_loop(main())
    pair = base64.b64encode(b"os:a b")
    assert request.startswith(b"GET /platformcom/api/v1/certmgr/config/snapshot/server")
    assert b"Authorization: Basic " + pair in request
    assert request.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, Code.UNAUTHORIZED),
        (403, Code.FORBIDDEN),
        (404, Code.NOT_OFFERED),
        (302, Code.REDIRECT),
        (429, Code.THROTTLED),
        (500, Code.UNAVAILABLE),
        (418, Code.HTTP),
    ],
)
def test_a_refusal_has_its_code_and_the_remedy_of_this_interface(status, code):
    error = failure(http(status, b"x", kind="text/plain"))
    assert error.code is code
    assert "AXL" not in error.remedy
    if code in (Code.UNAUTHORIZED, Code.FORBIDDEN):
        assert "operating system administrator" in error.remedy


def test_nothing_is_sent_to_a_node_that_presents_another_certificate():
    error = failure(http(200, b"{}"), trust=Trust(fingerprint="ab" * 32))
    assert error.code is Code.CERTIFICATE_CHANGED
    assert failure(http(200, b"{}"), trust=Trust()).code is Code.CERTIFICATE_UNKNOWN


def test_an_answer_without_end_is_cut_at_the_limit():
    async def endless(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" " * 65536)
            await writer.drain()
            # A connection that is being shut down drops what is written, and waits
            # for nothing: the loop would never get to its end.
            await asyncio.sleep(0)

    assert failure(endless).code is Code.TOO_LARGE


def test_a_node_that_says_nothing_ends_at_the_deadline():
    async def silent(request, writer):
        await asyncio.sleep(30)

    assert failure(silent, deadline=0.3).code is Code.TIMEOUT


def framed(body, status=200):
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def mutate_json(body, chance):
    """Damage values and structure of the document, or its bytes."""
    if chance.random() < 0.5:
        return mutate_body(body, chance)
    document = json.loads(body)
    at = document
    while isinstance(at, dict | list) and at:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = chance.choice(keys)
        if chance.random() < 0.4 or not isinstance(at[key], dict | list):
            at[key] = chance.choice([None, 0, -1, "", [], {}, [[]], CA_PEM, True])
            break
        at = at[key]
    return json.dumps(document).encode()


async def torture(count, seed):
    chance, ends = random.Random(seed), Counter()
    body, data = json.dumps(ANSWER).encode(), b""

    async def open_canned(node, port, clock):
        return Connection(node, Canned(data, True))

    with patch.object(Connection, "open", open_canned):
        for _ in range(count):
            mutant = mutate_json(body, chance)
            data = (
                framed(mutant)
                if chance.random() < 0.9
                else mutate_body(framed(mutant), chance)
            )
            try:
                await certificate_snapshot(NODE, 443, deadline=0.5)
                ends["understood"] += 1
            except WireError as error:
                assert "sesame" not in f"{error.__dict__}"
                ends[error.code] += 1
    return ends


def test_no_damaged_answer_escapes_as_a_foreign_exception():
    ends = run_loop(torture(3_000, seed=19))
    assert set(ends) <= {"understood", *Code}
    assert ends["understood"] > 300
    assert ends[Code.PROTOCOL] > 300


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_no_damaged_certificate_escapes():
    der = base64.b64decode("".join(CA_PEM.split("\n")[1:-2]))
    chance = random.Random(3)
    for _ in range(2_000):
        at = chance.randrange(len(der))
        bad = der[:at] + bytes([chance.randrange(256)]) + der[at + 1 :]
        pem = base64.encodebytes(bad).decode()
        pem = f"-----BEGIN CERTIFICATE-----\n{pem}-----END CERTIFICATE-----\n"
        row = {"service": "tomcat", "certificate": pem}
        assert set(read({**ANSWER, "identities": [row]}).identities) == {"tomcat"}


@pytest.mark.parametrize("nasty", NASTY)
def test_nasty_texts_in_every_place_are_understood_or_refused(nasty):
    text = nasty.decode("latin-1")
    row = {"service": text, "certificate": text, text: text}
    document = {
        "server": text,
        "identities": [row, {"service": "cup", "certificate": text}],
        "trusts": [{"service": "cup", "certificate_data": [row, text]}],
    }
    found = read(document)
    assert found.identities["cup"] is None
    assert found.trusts["cup"].unreadable == 2


@pytest.fixture(scope="module")
def lab():
    with Lab(
        clusters=3,
        nodes=2,
        users=(3, 3, 3),
        generation=("imp", "imp", "cup8"),
        versions=("14", "15", "8.6"),
        network="auto",
        agent_interval=0.05,
        shared_key=True,
    ) as running:
        running.clusters[0].peer_with(running.clusters[1])
        running.clusters[0].peer_with(running.clusters[2])
        assert eventually(
            lambda: (
                len(running.clusters[0].agent.trusts) == 2
                and running.clusters[1].agent.trusts
            )
        )
        yield running


@pytest.fixture(autouse=True)
def tidy(request):
    yield
    if "lab" in request.fixturenames:
        request.getfixturevalue("lab").clear_faults()


def snapshot(node, *, password=None, username=USERNAME, deadline=20.0):
    address = NodeAddress(
        node.name,
        node.address,
        username=username,
        password=Secret(password or password_of(node.cluster.name)),
        trust=Trust(fingerprint=node.fingerprint),
        policy=Policy(networks=(ip_network("127.0.0.0/8"),)),
    )
    asked = certificate_snapshot(address, node.pages_port or 8443, deadline=deadline)
    return run_loop(asked)


def names(found, service):
    return {one.common_name for one in found.trusts[service].certificates}


def test_after_a_peers_sync_the_trust_lists_hold_the_other_clusters_certificates(lab):
    home, remote, old = lab.clusters
    found = snapshot(home.publisher)
    assert found.identities["tomcat"].fingerprint == home.publisher.fingerprint
    for cluster in (home, remote, old):
        assert {node.name for node in cluster.nodes} <= names(found, "tomcat")
    theirs = {one.fingerprint for one in found.trusts["cup"].certificates}
    assert remote.nodes[1].cup_identity.fingerprint in theirs
    assert not {n.name for n in old.nodes} & names(snapshot(remote.publisher), "cup")


def test_after_a_renewal_the_peers_hold_the_old_certificate_until_a_manual_sync(lab):
    home, remote = lab.clusters[:2]
    node = remote.nodes[1]
    node.renew_certificate()
    held = [
        one.fingerprint
        for one in snapshot(home.publisher).trusts["tomcat"].certificates
        if one.common_name == node.name
    ]
    assert held
    assert node.fingerprint not in held
    for address in list(home.agent.exchanged):
        home.agent.exchange_certificates(address)
    found = snapshot(home.publisher).trusts["tomcat"].certificates
    assert node.fingerprint in {one.fingerprint for one in found}


def test_an_older_release_does_not_have_the_interface(lab):
    with pytest.raises(WireError) as caught:
        snapshot(lab.clusters[2].publisher)
    assert caught.value.code is Code.NOT_OFFERED


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("off", Code.NOT_OFFERED),
        ("no-role", Code.FORBIDDEN),
        ("html-200", Code.PROTOCOL),
        ("truncated-xml", Code.PROTOCOL),
        ("bomb:20", Code.TOO_LARGE),
        ("redirect", Code.REDIRECT),
        ("html-503", Code.UNAVAILABLE),
        ("cut-body", Code.CLOSED),
        ("reset", Code.CLOSED),
        ("not-http", Code.PROTOCOL),
    ],
)
def test_each_fault_of_the_lab_has_its_code(lab, fault, code):
    node = lab.clusters[0].publisher
    node.set_fault("certificates", fault)
    with pytest.raises(WireError) as caught:
        snapshot(node)
    assert caught.value.code is code


def test_an_application_user_is_not_an_os_administrator(lab):
    home = lab.clusters[0]
    with pytest.raises(WireError) as caught:
        snapshot(home.publisher, username=home.axl_username, password=home.axl_password)
    assert caught.value.code is Code.UNAUTHORIZED
    assert home.axl_password not in f"{caught.value.__dict__}"


def test_faults_of_the_data(lab):
    home, remote = lab.clusters[:2]
    home.publisher.set_fault("certificates", "missing-trust")
    assert not {n.name for n in remote.nodes} & names(
        snapshot(home.publisher), "tomcat"
    )
    home.publisher.set_fault("certificates", "broken-pem")
    broken = snapshot(home.publisher)
    assert set(broken.identities.values()) == {None}
    assert broken.trusts["tomcat"].unreadable
    for fault, low, high in (("expiring:12", 11, 12), ("expired", -3, -1)):
        home.publisher.set_fault("certificates", fault)
        cup = snapshot(home.publisher).identities["cup"]
        today = datetime.now(cup.not_after.tzinfo)
        assert low <= cup.days_left(today) <= high
