"""The console with a large answer, one that waits, and deadlines that tests can see."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from cupadmin.wsgi import application as console

if deadline := float(os.environ.get("DEADLINE", 0)):
    from cupadmin import server

    server.HEAD_SECONDS = server.BODY_SECONDS = server.IDLE_SECONDS = deadline
    server.PACE_SECONDS = deadline

GATE = Path(os.environ["GATE"])
MEGABYTE = b"x" * (1 << 20)


def application(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    if path == "/large":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (MEGABYTE for _ in range(64))
    if path == "/wait":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return wait()
    if path == "/headers":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [repr(sorted(environ)).encode(), environ["wsgi.url_scheme"].encode()]
    return console(environ, start_response)


def wait() -> Iterator[bytes]:
    """Hold the thread until the test opens the gate."""
    GATE.with_name(f"begun-{uuid4()}").touch()
    while not GATE.exists():
        time.sleep(0.02)
    yield b"opened"
