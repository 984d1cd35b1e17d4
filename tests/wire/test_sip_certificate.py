"""A SIP TLS port that wants a client certificate, in each shape of a refusal."""

import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.wire.server import LOOPBACK, PEM
from wire import Code, NodeAddress, WireError, run_loop, send_options


def context(*, newest=None, oldest=None, client_certificate=False, ciphers=""):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.maximum_version = newest or made.maximum_version
    made.minimum_version = oldest or made.minimum_version
    if ciphers:
        made.set_ciphers(ciphers)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "node.pem"
        path.write_bytes(PEM)
        made.load_cert_chain(path)
        if client_certificate:
            made.verify_mode = ssl.CERT_REQUIRED
            made.load_verify_locations(path)
    return made


class Quiet:
    """A connection that never sends an alert: what follows the handshake is dropped."""

    def __init__(self, raw: socket.socket, tls: ssl.SSLContext) -> None:
        self.raw, self.received, self.sent = raw, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls.wrap_bio(self.received, self.sent, server_side=True)

    def run(self) -> None:
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.raw.sendall(self.sent.read())
                self.received.write(self.raw.recv(16384))
            except ssl.SSLError:
                return
        self.raw.sendall(self.sent.read())
        if not self.received.pending:
            self.raw.recv(16384)


def politely(raw, tls):
    with tls.wrap_socket(raw, server_side=True) as stream:
        stream.recv(4096)


def by_reset(raw, tls):
    Quiet(raw, tls).run()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()


def by_closing(raw, tls):
    Quiet(raw, tls).run()
    raw.close()


@contextmanager
def port_of(how, tls) -> Iterator[int]:
    """Serve blocking, so that OpenSSL sends its alerts."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                raw, _ = listening.accept()
                with raw, suppress(OSError):
                    how(raw, tls)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def ask_proxy(port):
    node = NodeAddress(
        name="node.test", address="127.0.0.1", sip_tls_port=port, policy=LOOPBACK
    )
    return run_loop(send_options(node, "TLS", deadline=20))


OLD, NEW = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize("how", [politely, by_reset, by_closing])
@pytest.mark.parametrize("newest", [OLD, NEW])
def test_port_that_wants_a_client_certificate_says_so(how, newest):
    with port_of(how, context(newest=newest, client_certificate=True)) as port:
        reply = ask_proxy(port)
    assert reply.peer_auth_refused
    assert not reply.up


def test_only_tls_1_3_says_so_by_its_alert():
    with port_of(politely, context(oldest=NEW, client_certificate=True)) as port:
        assert ask_proxy(port).peer_auth_refused


@pytest.mark.parametrize(
    ("how", "tls", "code"),
    [
        (politely, {"newest": OLD, "ciphers": "AES128-SHA256"}, Code.TLS),
        (politely, {}, Code.CLOSED),
        (by_reset, {}, Code.CLOSED),
        (by_reset, {"newest": OLD}, Code.CLOSED),
        (by_closing, {"oldest": NEW, "client_certificate": True}, Code.CLOSED),
    ],
)
def test_what_may_have_another_cause_is_no_missing_certificate(how, tls, code):
    with port_of(how, context(**tls)) as port, pytest.raises(WireError) as caught:
        ask_proxy(port)
    assert caught.value.code is code
    assert "SIP TLS port" in caught.value.remedy
    assert "Tomcat" not in caught.value.remedy


@pytest.mark.parametrize(
    "hang_up", [lambda raw, tls: None, lambda raw, tls: raw.send(b"x")]
)
def test_port_without_tls_is_no_missing_certificate(hang_up):
    with port_of(hang_up, None) as port, pytest.raises(WireError) as caught:
        ask_proxy(port)
    assert caught.value.code in (Code.CLOSED, Code.TLS)
    assert "SIP TLS port" in caught.value.remedy


def test_closed_sip_port_names_sip():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    node = NodeAddress("node.test", "127.0.0.1", sip_port=port, policy=LOOPBACK)
    with pytest.raises(WireError) as caught:
        run_loop(send_options(node, "TCP", deadline=20))
    assert caught.value.code is Code.REFUSED
    assert "SIP proxy service" in caught.value.remedy
