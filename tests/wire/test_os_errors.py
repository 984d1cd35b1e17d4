import errno
import ssl

import pytest

from wire import Code, WireError
from wire.os_errors import map_os_errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENETUNREACH, "Network is unreachable"), Code.UNREACHABLE),
        (OSError(errno.EHOSTUNREACH, "No route to host"), Code.UNREACHABLE),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), Code.REFUSED),
        (ConnectionResetError(errno.ECONNRESET, "x"), Code.CLOSED),
        (BrokenPipeError(errno.EPIPE, "x"), Code.CLOSED),
        (TimeoutError(), Code.TIMEOUT),
        (ssl.SSLEOFError(8, "x"), Code.CLOSED),
        (ssl.SSLError(1, "x"), Code.TLS),
        (ssl.SSLCertVerificationError(1, "x"), Code.CERTIFICATE_INVALID),
        (EOFError(), Code.CLOSED),
    ],
)
def test_failure_of_a_socket_has_its_code(error, code):
    with pytest.raises(WireError) as caught, map_os_errors("cup1"):
        raise error
    assert caught.value.code is code
    assert caught.value.__cause__ is None


def test_error_that_is_not_of_the_wire_passes_through():
    class SoftTimeLimitExceeded(Exception):
        pass

    with pytest.raises(SoftTimeLimitExceeded), map_os_errors("cup1"):
        raise SoftTimeLimitExceeded
