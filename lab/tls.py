"""TLS by hand, for the ports that refuse: the event loop's own sends no alert."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any, cast


class Secured(asyncio.Protocol):
    """A connection whose handshake may fail, which the client is then told."""

    def __init__(
        self,
        context: Callable[[], ssl.SSLContext],
        speak: Callable[[], asyncio.Protocol],
    ) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context().wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.inner = speak()
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_open:
            self.inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.incoming.write(data)
        try:
            self._advance()
        except ssl.SSLWantReadError:
            self.flush()
        except ssl.SSLError:
            self.flush()
            self.transport.close()

    def flush(self) -> None:
        """Send what TLS has to say."""
        if not self.transport.is_closing():
            self.transport.write(self.outgoing.read())

    def _advance(self) -> None:
        if not self.is_open:
            self.tls.do_handshake()
            self.flush()
            self.is_open = True
            self.inner.connection_made(SecuredTransport(self))
        while chunk := self.tls.read(65536):
            self.inner.data_received(chunk)
        self.transport.close()


class SecuredTransport(asyncio.Transport):
    """What the protocol inside writes to."""

    def __init__(self, secured: Secured) -> None:
        super().__init__()
        self.secured = secured
        self.outer = secured.transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.secured.tls.write(data)
        self.secured.flush()

    def close(self) -> None:
        with contextlib.suppress(ssl.SSLError):
            self.secured.tls.unwrap()
        self.secured.flush()
        self.outer.close()

    def abort(self) -> None:
        self.outer.abort()

    def is_closing(self) -> bool:
        return self.outer.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.outer.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        return self.outer.get_write_buffer_size()
