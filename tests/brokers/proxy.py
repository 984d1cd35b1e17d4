"""A way to a server that can be cut for a while."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Proxy:
    """Forwards connections on loopback; `cut` breaks them and refuses new ones."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.open: list[socket.socket] = []
        self.refuse = threading.Event()

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.refuse.set()
        self.listener.close()
        self.break_all()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.refuse.is_set():
                    client.close()
                    continue
                server = socket.create_connection(self.target)
                self.open += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=forward, args=ends, daemon=True).start()

    def break_all(self) -> None:
        while self.open:
            with contextlib.suppress(OSError):
                self.open.pop().shutdown(socket.SHUT_RDWR)  # their threads close them

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Let the server be away for the block."""
        self.refuse.set()
        self.break_all()
        yield
        self.refuse.clear()


def forward(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
    # Each is the source of one thread.
    source.close()
