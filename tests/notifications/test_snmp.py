"""SNMP traps as a decoder of its own and a real receiver see them."""

import shutil
import socket
import subprocess

import pytest
from django.urls import reverse
from pyasn1.codec.ber import decoder
from pyasn1_modules import rfc1901, rfc1905

from accounts.models import AuditEntry
from notifications.models import Message, Subscriber
from notifications.snmp import LONGEST_TEXT, snmp_trap, syslog_timestamp
from tests.conftest import missing
from tests.notifications.conftest import judge, sent
from tests.notifications.test_formats import API, event
from tests.waiting import eventually

ENTRY = "1.3.6.1.2.1.192.1.2.1"
COMMUNITY = "monitoring-x7"


def decoded(trap):
    """The community, and what is bound, by column of syslogMsgEntry or by name."""
    message, rest = decoder.decode(trap, asn1Spec=rfc1901.Message())
    assert (int(message["version"]), rest) == (1, b"")
    pdus, rest = decoder.decode(bytes(message["data"]), asn1Spec=rfc1905.PDUs())
    assert rest == b""
    bound = {}
    for binding in pdus["snmpV2-trap"]["variable-bindings"]:
        name = str(binding["name"])
        if name.startswith(ENTRY):
            name = int(name.removeprefix(f"{ENTRY}.").split(".")[0])
        value = binding[""]["value"].getComponent().getComponent()
        bound[name] = value
    return bytes(message["community"]).decode(), bound


def test_a_trap_carries_the_columns_of_the_standard():
    community, bound = decoded(snmp_trap(event(), COMMUNITY))
    assert community == COMMUNITY
    assert list(bound)[:2] == ["1.3.6.1.2.1.1.3.0", "1.3.6.1.6.3.1.1.4.1.0"]
    assert str(bound["1.3.6.1.6.3.1.1.4.1.0"]) == "1.3.6.1.2.1.192.0.1"
    assert [int(bound[column]) for column in (2, 3, 4, 10)] == [16, 3, 1, 0]
    assert bytes(bound[5]).hex() == "07ea011f080f000000002b0000"
    assert bytes(bound[6]).decode() == socket.gethostname()
    assert (bytes(bound[7]), bytes(bound[9])) == (b"cupadmin", b"peer")
    assert b"state=failed key=peer:1" in bytes(bound[11])


def test_no_text_makes_a_trap_grow_beyond_a_frame():
    odd = event("a\n\0" + "é" * 5000, topic="t" * 500)
    trap = snmp_trap(odd, "c" * 128)
    assert len(trap) < 1472
    text = bytes(decoded(trap)[1][11])
    assert len(text) <= LONGEST_TEXT
    assert text.decode().startswith("a  é")


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("2026-01-31T08:15:00+00:00", "07ea 01 1f 08 0f 00 000000 2b 00 00"),
        ("2026-12-01T23:59:59.999999+05:30", "07ea 0c 01 17 3b 3b 0f423f 2b 05 1e"),
        ("2026-12-01T23:59:59-03:30", "07ea 0c 01 17 3b 3b 000000 2d 03 1e"),
    ],
)
def test_times_are_those_of_the_mib(text, octets):
    assert syslog_timestamp(text) == bytes.fromhex(octets)


@pytest.fixture
def values(settings):
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    return {"name": "Manager", "url": "snmp://127.0.0.1:1162", "topics": ["peer"]}


def test_community_is_entered_on_the_page_and_kept(administrator, client_of, values):
    client, page = client_of(administrator), reverse("notifications:webhooks")
    answer = client.post(page, values)
    assert set(answer.context["form"].errors) == {"community"}
    answer = client.post(page, values | {"community": COMMUNITY})
    webhook = Subscriber.objects.get()
    assert (webhook.format, answer.context["secret"]) == ("snmp", "")
    assert COMMUNITY not in answer.content.decode()
    edit = reverse("notifications:edit_webhook", args=[webhook.pk])
    client.post(edit, values | {"name": "Other", "format": "snmp"})
    webhook.refresh_from_db()
    assert (webhook.name, webhook.unseal("secret").reveal()) == ("Other", COMMUNITY)
    assert COMMUNITY not in str(list(AuditEntry.objects.values_list("changes")))


def test_a_community_is_never_what_signs(administrator, client_of, api, values):
    client, rest = client_of(administrator), api(administrator)
    made = rest.post(API, values | {"secret": "public"}).json()
    assert made["format"] == "snmp"
    url = f"{API}{made['id']}/"
    web = {"url": "https://chat.example.com/hook", "format": "json"}
    answer = rest.patch(url, web)
    assert set(answer.json()["errors"]) == {"secret"}
    edit = reverse("notifications:edit_webhook", args=[made["id"]])
    answer = client.post(edit, values | web)
    secret = answer.context["secret"]
    assert len(secret) > 16
    assert Subscriber.objects.get().unseal("secret").reveal() == secret


def test_a_community_goes_to_no_other_receiver(administrator, client_of, api, values):
    client, rest = client_of(administrator), api(administrator)
    made = rest.post(API, values | {"secret": COMMUNITY}).json()
    other = {"url": "snmp://127.0.0.9:1162"}
    answer = rest.patch(f"{API}{made['id']}/", other)
    assert set(answer.json()["errors"]) == {"secret"}
    edit = reverse("notifications:edit_webhook", args=[made["id"]])
    answer = client.post(edit, values | other | {"format": "snmp"})
    assert set(answer.context["form"].errors) == {"community"}
    assert Subscriber.objects.get().url == values["url"]
    answer = rest.patch(f"{API}{made['id']}/", other | {"secret": "another"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "snmp://127.0.0.1/path"}, "url"),
        ({"url": "snmp://127.0.0.1:0"}, "url"),
        ({"url": "snmp://10.9.9.9"}, "url"),
        ({"format": "syslog"}, "format"),
        ({"url": "https://chat.example.com/hook", "format": "snmp"}, "format"),
    ],
)
def test_what_does_not_fit_is_refused(
    administrator, api, client_of, values, changes, field
):
    wrong = values | changes
    answer = api(administrator).post(API, wrong | {"secret": COMMUNITY * 2})
    assert field in answer.json()["errors"]
    page = reverse("notifications:webhooks")
    answer = client_of(administrator).post(page, wrong | {"community": COMMUNITY})
    assert field in answer.context["form"].errors
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("secret", ["", "short", "a\nb" * 20, "x" * 129])
def test_other_formats_keep_their_rules_of_a_secret(administrator, api, secret):
    web = {"name": "T", "url": "https://chat.example.com/hook", "topics": ["peer"]}
    answer = api(administrator).post(API, web | {"secret": secret})
    assert set(answer.json()["errors"]) == {"secret"}


def test_a_trap_arrives(values, peers, transactional_db):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(60)
        subscribe(f"snmp://127.0.0.1:{listener.getsockname()[1]}")
        judge("failed", peers[0])
        sent()
        community, bound = decoded(listener.recv(4096))
    assert (community, Message.objects.get().state) == (COMMUNITY, "sent")
    assert bytes(bound[11]).startswith(f"Peer {peers[0].address}".encode())


def subscribe(url):
    webhook = Subscriber(channel="webhook", name="SNMP", url=url, format="snmp")
    webhook.topics = ["peer"]
    webhook.seal("secret", COMMUNITY)
    webhook.save()


@pytest.fixture
def snmptrapd(tmp_path):
    """A receiver that we did not write; yields its port and its log."""
    program = shutil.which("snmptrapd", path="/usr/sbin:/usr/bin")
    if program is None:
        missing("snmp", "There is no snmptrapd here")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings_file, log = tmp_path / "snmptrapd.conf", tmp_path / "traps.log"
    settings_file.write_text(f"authCommunity log {COMMUNITY}\n")
    command = [program, "-f", "-C", "-c", settings_file, "-m", "", "-On", "-Lf", log]
    environment = {"SNMP_PERSISTENT_DIR": str(tmp_path)}
    listening = f"udp:127.0.0.1:{port}"
    with subprocess.Popen([*command, listening], env=environment) as running:
        assert eventually(lambda: log.exists() and "NET-SNMP" in log.read_text())
        yield port, log
        running.terminate()


@pytest.mark.servers
def test_a_real_receiver_reads_it(snmptrapd, values, peers, transactional_db):
    port, log = snmptrapd
    subscribe(f"snmp://127.0.0.1:{port}")
    judge("failed", peers[0])
    sent()
    wanted = f"{ENTRY}.9."
    assert eventually(lambda: wanted in log.read_text())
    text = log.read_text()
    assert 'STRING: "peer"' in text
    assert "OID: .1.3.6.1.2.1.192.0.1" in text
    assert f"Peer {peers[0].address}" in text
