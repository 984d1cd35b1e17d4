"""The web server: Waitress within workers of Gunicorn, with deadlines.

One thread of a worker reads requests and writes answers of all connections; a thread of
the pool is used only between the last byte of a request and the first of its answer. So
slow clients cost a file handle and some memory, and after a while are disconnected.
Gunicorn starts, watches, reloads and ends the workers.
"""

import os
import resource
import time
from typing import Any

from django.conf import settings
from gunicorn.workers.base import Worker as GunicornWorker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher
from waitress.utilities import Error

# Seconds for the head of a request, for its body, and between two requests.
HEAD_SECONDS = 10.0
BODY_SECONDS = 60.0
IDLE_SECONDS = 30.0
# An answer must leave at this pace, in bytes a second, over each such span of seconds.
PACE = 4096
PACE_SECONDS = 20.0
# Bytes of one request, and of all that one worker holds in memory.
MOST_HEAD = 64 * 1024
MOST_BODY = 8 * 1024 * 1024
MOST_BODIES = 64 * 1024 * 1024
# A body that is small is not counted each time.
SMALL_BODY = 256 * 1024
# Connections of one worker; the oldest requests give way when they get scarce.
MOST_CONNECTIONS = 800
PRESSING = MOST_CONNECTIONS * 3 // 4
HASTE = 0.1
HEALTH = "/healthz"


class RequestTimeout(Error):  # type: ignore[misc]
    code = 408
    reason = "Request Timeout"


class TooManyUploads(Error):  # type: ignore[misc]
    code = 503
    reason = "Service Unavailable"


class WorkerChannel(HTTPChannel):  # type: ignore[misc]
    """A connection that must go on, in each of its phases."""

    request: Any
    requests: list[Any]

    def __init__(self, *args: Any, **options: Any) -> None:
        self.since = time.monotonic()
        self.sent = 0
        self.window: tuple[float, int] | None = None
        super().__init__(*args, **options)

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.since = time.monotonic()
        went_on: bool = super().received(data)
        if self.request is None:
            self.since = time.monotonic()
        elif self.is_large() and self.server.body_bytes() > MOST_BODIES:
            sentence = "Too many uploads at once. Try again in a few seconds."
            self.refuse(TooManyUploads(sentence))
        return went_on

    def send_continue(self) -> None:
        """Ask for the body; what has none is complete, and must not wait for one."""
        if self.request.completed:
            self.request.expect_continue = False
            return
        super().send_continue()

    def is_large(self) -> bool:
        return bool(self.request.body_bytes_received > SMALL_BODY)

    def send(self, data: bytes, do_close: bool = True) -> int:
        number: int = super().send(data, do_close=do_close)
        self.sent += number
        return number

    def service(self) -> None:
        super().service()
        self.since = time.monotonic()

    def body_bytes(self) -> int:
        """Bytes of bodies that are held for this connection."""
        held = [self.request, *self.requests]
        return sum(one.body_bytes_received for one in held if one is not None)

    def check(self, now: float, haste: float) -> None:
        """Close or refuse it, if it is too slow.

        Args:
            haste: what part of the usual time it has.
        """
        waited = (now - self.since) / haste
        if self.reads_too_slowly(now):
            # Not by `will_close`: that waits until the client reads.
            self.handle_close()
        elif self.requests or self.total_outbufs_len:
            return
        elif self.request is None:
            if waited > (IDLE_SECONDS if self.sent else HEAD_SECONDS):
                self.handle_close()
        elif not self.request.headers_finished:
            if waited > HEAD_SECONDS:
                self.handle_close()
        elif waited > BODY_SECONDS:
            self.refuse(RequestTimeout("The request did not arrive in time."))

    def reads_too_slowly(self, now: float) -> bool:
        if not self.total_outbufs_len:
            self.window = None
        elif self.window is None:
            self.window = (now, self.sent)
        elif self.span(now) >= PACE_SECONDS:
            slow = self.pace(now) < PACE
            self.window = (now, self.sent)
            return slow
        return False

    def holds_thread(self, now: float) -> bool:
        """Whether a thread waits, since the last look, for the client to read more."""
        full: bool = self.total_outbufs_len > self.adj.outbuf_high_watermark
        return full and bool(self.requests) and self.span(now) > 0

    def span(self, now: float) -> float:
        return now - self.window[0] if self.window else 0.0

    def pace(self, now: float) -> float:
        """Bytes a second that left in this span; 0 while it is unknown."""
        return (self.sent - self.window[1]) / self.span(now) if self.window else 0.0

    def refuse(self, error: Error) -> None:
        """Answer a request that is not complete; the connection ends with it."""
        with self.requests_lock:
            request, self.request = self.request, None
            if request is None:
                return
            request.error, request.completed = error, True
            self.requests.append(request)
            if len(self.requests) == 1:
                self.server.add_task(self)


class Server(TcpWSGIServer):  # type: ignore[misc]
    """One listening socket of a worker."""

    channel_class = WorkerChannel

    def __init__(self, *args: Any, **options: Any) -> None:
        # Health is asked while all other threads are busy.
        self.health_dispatcher = ThreadedTaskDispatcher()
        self.health_dispatcher.set_thread_count(1)
        super().__init__(*args, **options)

    def add_task(self, task: WorkerChannel) -> None:
        health = getattr(task.requests[0], "path", "") == HEALTH
        (self.health_dispatcher if health else self.task_dispatcher).add_task(task)

    def body_bytes(self) -> int:
        return sum(one.body_bytes() for one in self.active_channels.values())

    def maintenance(self, now: float) -> None:
        """Nothing here: closing a channel would disturb the loop that calls this."""

    def supervise(self) -> None:
        """Look at each connection, once a second."""
        now = time.monotonic()
        channels = list(self.active_channels.values())
        haste = HASTE if len(channels) > PRESSING else 1.0
        for channel in channels:
            channel.check(now, haste)
        # Threads that wait for readers: half of them at most, for the quickest readers,
        # once a second has shown which these are.
        held = [one for one in channels if one.holds_thread(now)]
        held.sort(key=lambda one: one.pace(now), reverse=True)
        for channel in held[self.adj.threads // 2 :]:
            channel.handle_close()

    def stop_accepting(self) -> None:
        self.accepting = False
        self.del_channel()
        self.socket.close()

    def close_idle(self) -> bool:
        """End connections that have no answer under way; False when none has one."""
        channels = list(self.active_channels.values())
        for channel in channels:
            if not (channel.requests or channel.total_outbufs_len):
                channel.handle_close()
        return bool(channels)


class Worker(GunicornWorker):  # type: ignore[misc]
    """A worker of Gunicorn: `--worker-class cupadmin.server.Worker`."""

    servers: list[Server]
    next_check = 0.0

    def run(self) -> None:
        allow_many_files()
        self.map: dict[int, Any] = {}
        pool = ThreadedTaskDispatcher()
        pool.set_thread_count(self.cfg.threads)
        self.servers = [self.listen(one.sock, pool) for one in self.sockets]
        while self.alive and self.ppid == os.getppid():
            self.turn()
        self.drain()
        pool.shutdown(timeout=1)

    def listen(self, sock: Any, pool: ThreadedTaskDispatcher) -> Server:
        sock.setblocking(False)
        return Server(
            self.wsgi,
            map=self.map,
            _sock=sock,
            dispatcher=pool,
            adj=server_adjustments(self.cfg.threads),
            sockinfo=(sock.family, sock.type, sock.proto, sock.getsockname()),
            bind_socket=False,
        )

    def turn(self) -> None:
        """Serve what is ready; wait a second at most."""
        if time.monotonic() > self.next_check:
            self.next_check = time.monotonic() + 1.0
            self.notify()
            for server in self.servers:
                server.supervise()
        wasyncore.loop(timeout=1.0, use_poll=True, map=self.map, count=1)

    def drain(self) -> None:
        """Finish the answers that are under way, within `--graceful-timeout`."""
        deadline = time.monotonic() + self.cfg.graceful_timeout
        for server in self.servers:
            server.stop_accepting()
        while time.monotonic() < deadline:
            # Each server, and not only until one is busy.
            busy = [server.close_idle() for server in self.servers]
            if True not in busy:
                return
            self.turn()

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        for server in getattr(self, "servers", []):
            server.pull_trigger()


def server_adjustments(threads: int) -> Adjustments:
    return Adjustments(
        threads=threads,
        # Headers of a proxy count only where the settings declare one.
        clear_untrusted_proxy_headers=not settings.PROXIES,
        connection_limit=MOST_CONNECTIONS,
        max_request_header_size=MOST_HEAD,
        max_request_body_size=MOST_BODY,
        # What is sent here may hold passwords: it stays in memory.
        inbuf_overflow=2 * MOST_BODY,
        log_socket_errors=False,
        ident=None,
    )


def allow_many_files() -> None:
    """Raise the soft limit of open files to what the connections may need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 3 * MOST_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < needed:
        most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
