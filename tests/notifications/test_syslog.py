"""Syslog messages as receivers get them over UDP, TCP and TLS."""

import re
import socket
import socketserver
import ssl
import subprocess
import threading

import pytest

from notifications.delivery import Undelivered, deliver_message
from notifications.models import Message, Subscriber
from notifications.syslog import LONGEST_LINE, syslog_line
from tests.notifications.conftest import judge, sent
from tests.notifications.test_formats import event

LINE = re.compile(r"<(\d+)>1 (\S+) (\S+) cupadmin (\d+) (\S+) - \ufeff(.*)", re.DOTALL)


class Lines(socketserver.StreamRequestHandler):
    """Reads messages with counted octets."""

    def handle(self):
        while digits := self.count():
            self.server.lines.append(self.rfile.read(int(digits)))
            self.server.arrived.set()

    def count(self):
        found = b""
        while (one := self.rfile.read(1)) not in (b" ", b""):
            found += one
        return found


class TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def get_request(self):
        request, address = super().get_request()
        if self.context:
            request = self.context.wrap_socket(request, server_side=True)
        return request, address


@pytest.fixture
def receiver(settings):
    """Start a receiver; return it, with what it got in `lines`."""
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    running = []

    def start(context=None):
        server = TcpServer(("127.0.0.1", 0), Lines)
        server.context, server.lines = context, []
        server.arrived = threading.Event()
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def subscribe(url):
    return Subscriber.objects.create(
        channel="webhook", name="Log", url=url, format="syslog", topics=["peer"]
    )


def test_a_line_has_the_fields_of_the_standard():
    pri, at, host, pid, topic, text = LINE.fullmatch(
        syslog_line(event()).decode()
    ).groups()
    assert (int(pri) // 8, int(pri) % 8) == (16, 3)
    assert (at, topic) == ("2026-01-31T08:15:00+00:00", "peer")
    assert host == socket.gethostname()
    assert text.startswith("Peer 10.0.0.1 on berlin failed. state=failed key=peer:1")


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"state": "passed"}, 5),
        ({"state": "test", "topic": "test"}, 6),
        ({"topic": "certificate", "state": "7 days"}, 4),
        ({"topic": "agent", "state": "stopped"}, 3),
    ],
)
def test_severity_tells_how_bad_it_is(changes, severity):
    pri = LINE.fullmatch(syslog_line(event(**changes)).decode())[1]
    assert int(pri) % 8 == severity


def test_no_text_breaks_a_line_or_grows_beyond_it():
    odd = syslog_line(event("a\n<0>1 forged\0\x1b[31m" + "é" * 5000, topic="a b\n"))
    assert b"\n" not in odd
    assert b"\0" not in odd
    assert b"\x1b" not in odd
    assert len(odd) <= LONGEST_LINE
    assert LINE.fullmatch(odd.decode())[5] == "a-b-"


def test_events_arrive_over_tcp(receiver, peers, transactional_db):
    server = receiver()
    subscribe(f"syslog+tcp://127.0.0.1:{server.server_address[1]}")
    judge("failed", *peers)
    sent()
    assert server.arrived.wait(60)
    assert Message.objects.get().state == "sent"
    assert len(server.lines) == 3
    assert all(LINE.fullmatch(line.decode()) for line in server.lines)


def test_an_event_arrives_over_udp(settings, peers, transactional_db):
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(60)
        subscribe(f"syslog+udp://127.0.0.1:{listener.getsockname()[1]}")
        judge("failed", peers[0])
        sent()
        assert LINE.fullmatch(listener.recv(4096).decode())


@pytest.fixture
def certificate(tmp_path):
    from tests.deploy.conftest import tool

    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    return certificate, key


def test_tls_is_verified(receiver, certificate, peers, transactional_db, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = receiver(context)
    subscribe(f"syslog+tls://127.0.0.1:{server.server_address[1]}")
    judge("failed", peers[0])
    with pytest.raises(Undelivered):
        deliver_message(Message.objects.get())
    assert server.lines == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    sent()
    assert server.arrived.wait(60)
    assert Message.objects.get().state == "sent"
    assert LINE.fullmatch(server.lines[0].decode())


def test_a_receiver_that_is_away_is_tried_again(receiver, peers, transactional_db):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    receiver()
    subscribe(f"syslog+tcp://127.0.0.1:{port}")
    judge("failed", peers[0])
    sent()
    assert Message.objects.get().state != "sent"


def test_an_address_outside_the_networks_gets_nothing(
    receiver, peers, settings, transactional_db
):
    server = receiver()
    settings.WEBHOOK_NETWORKS = ["192.0.2.0/24"]
    subscribe(f"syslog+tcp://127.0.0.1:{server.server_address[1]}")
    judge("failed", peers[0])
    sent()
    assert server.lines == []
