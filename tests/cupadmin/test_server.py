"""The real web server among clients that are slow on purpose."""

import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cupadmin.management.commands.run import exposure_warning, web_command
from tests.waiting import PATIENCE, eventually
from tests.workers import environment

pytestmark = pytest.mark.servers

# As `web_command` says.
THREADS = 8
SIGN_IN = "/administration/system/sign-in/"
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "
BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Server:
    """The command of `make run`, with an application that has two more pages."""

    def __init__(self, folder, **more: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.gate = folder / "gate"
        told = environment(
            DJANGO_SETTINGS_MODULE="tests.settings", GATE=str(self.gate), **more
        )
        command = web_command("tests.cupadmin.slow_application", "127.0.0.1", self.port)
        self.process = subprocess.Popen(command, env=told)

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=PATIENCE
        )
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.text = response.read()
        connection.close()
        return response

    def begun_count(self) -> int:
        """How many requests wait for the gate."""
        return len(list(self.gate.parent.glob("begun-*")))

    def connect(self, opening: bytes) -> socket.socket:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", self.port))
        client.sendall(opening)
        client.setblocking(False)
        return client

    def until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                assert self.get("/healthz").status == 200
                return
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None
                time.sleep(0.1)


@pytest.fixture
def start(transactional_db, tmp_path) -> Iterator[Callable[..., Server]]:
    started = []

    def one(**more: str) -> Server:
        server = Server(tmp_path, **more)
        started.append(server.process)
        server.until_ready()
        return server

    yield one
    for process in started:
        process.terminate()
        process.wait(PATIENCE)


class Drip:
    """Clients that send or read one byte at a time until they are cut off."""

    def __init__(self, server: Server, number: int) -> None:
        self.senders = [server.connect(HEAD) for _ in range(number)]
        self.senders += [server.connect(BODY) for _ in range(number)]
        self.readers = [server.connect(LARGE) for _ in range(number)]
        self.ended: set[socket.socket] = set()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.drip)

    def __enter__(self) -> "Drip":
        self.thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop.set()
        self.thread.join()
        for client in [*self.senders, *self.readers]:
            client.close()

    def drip(self) -> None:
        while not self.stop.wait(0.2):
            for client in {*self.senders, *self.readers} - self.ended:
                try:
                    if client in self.readers:
                        over = not client.recv(1)
                    else:
                        over = not client.send(b"x") or not client.recv(1000)
                except BlockingIOError:
                    continue
                except OSError:
                    over = True
                if over:
                    self.ended.add(client)


def test_pages_and_health_answer_among_180_slow_clients(start):
    server = start(DEADLINE="600")
    with Drip(server, 60) as slow:
        time.sleep(1)
        for _ in range(3):
            assert server.get(SIGN_IN).status == 200
            assert server.get("/healthz").status == 200
        assert not slow.ended & set(slow.senders)


def test_slow_clients_are_cut_off_and_their_threads_come_back(start):
    server = start(DEADLINE="3")
    with Drip(server, 60) as slow:
        senders = set(slow.senders)
        assert eventually(lambda: senders <= slow.ended), len(slow.ended)
        assert server.get(SIGN_IN).status == 200
        assert len(server.get("/large").text) == 64 << 20


def test_health_answers_while_every_thread_is_busy(start):
    server = start()
    with ThreadPoolExecutor(40) as pool:
        waiting = [pool.submit(server.get, "/wait") for _ in range(40)]
        assert eventually(lambda: server.begun_count() >= THREADS)
        assert server.get("/healthz").status == 200
        assert not any(one.done() for one in waiting)
        server.gate.touch()
        assert {one.result().text for one in waiting} == {b"opened"}


def test_a_stop_finishes_what_is_under_way(start):
    server = start()
    with ThreadPoolExecutor(4) as pool, Drip(server, 5):
        waiting = [pool.submit(server.get, "/wait") for _ in range(4)]
        assert eventually(lambda: server.begun_count() == 4)
        os.kill(server.process.pid, signal.SIGTERM)
        time.sleep(1)
        server.gate.touch()
        assert {one.result().text for one in waiting} == {b"opened"}
        assert server.process.wait(PATIENCE) == 0


def test_what_is_too_large_is_refused_before_django(start):
    server = start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.putrequest("POST", SIGN_IN)
    connection.putheader("Content-Length", str(9 << 20))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert server.get("/headers", **{"X-A": "x" * 70_000}).status == 431


def test_request_without_a_body_waits_for_none(start):
    server = start()
    assert server.get("/headers", Expect="100-continue").status == 200
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("POST", "/headers", b"x", {"Expect": "100-continue"})
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("proxies", ["0", "1"])
def test_headers_of_a_proxy_count_only_where_one_is_declared(start, proxies):
    server = start(CUPADMIN_PROXIES=proxies)
    reported = {"X-Forwarded-For": "10.1.1.1", "X-Forwarded-Proto": "https"}
    text = server.get("/headers", **reported).text
    assert (b"HTTP_X_FORWARDED_FOR" in text) == (proxies == "1")
    assert (b"HTTP_X_FORWARDED_PROTO" in text) == (proxies == "1")
    assert text.endswith(b"http")


def test_listening_beyond_loopback_without_a_proxy_warns(settings):
    settings.PROXIES = 0
    assert not exposure_warning("127.0.0.1") and not exposure_warning("::1")
    assert not exposure_warning("localhost")
    assert (
        exposure_warning("0.0.0.0")
        and exposure_warning("::")
        and exposure_warning("10.1.1.1")
    )
    settings.PROXIES = 1
    assert not exposure_warning("0.0.0.0")
