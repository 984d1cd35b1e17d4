"""From what sockets, TLS and HTTP raise to the one error of the wire."""

import ssl
from asyncio import IncompleteReadError
from collections.abc import Iterator
from contextlib import contextmanager

from httptools import HttpParserError

from wire.errors import Code, WireError


@contextmanager
def map_os_errors(node: str) -> Iterator[None]:
    try:
        yield
    except WireError:
        raise
    except (OSError, EOFError, HttpParserError) as error:
        raise wire_error(error, node) from None


def wire_error(error: Exception, node: str) -> WireError:
    code = _code(error)
    # Only OpenSSL's and the kernel's own words: they quote nothing of the reply.
    detail = ""
    if isinstance(error, ssl.SSLCertVerificationError):
        detail = getattr(error, "verify_message", "")
    elif isinstance(error, ssl.SSLError):
        detail = str(getattr(error, "reason", None) or "").replace("_", " ").lower()
    elif isinstance(error, OSError) and not isinstance(error, TimeoutError):
        detail = error.strerror or ""
    return WireError(code, node=node, detail=detail)


def _code(error: Exception) -> Code:
    match error:
        case ssl.SSLCertVerificationError():
            return Code.CERTIFICATE_INVALID
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return Code.CLOSED
        case ssl.SSLError():
            return Code.TLS
        case TimeoutError():
            return Code.TIMEOUT
        case ConnectionRefusedError():
            return Code.REFUSED
        case ConnectionError() | IncompleteReadError() | EOFError():
            return Code.CLOSED
        case OSError():
            return Code.UNREACHABLE
        case _:
            return Code.PROTOCOL
