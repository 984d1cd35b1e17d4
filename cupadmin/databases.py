"""Time limits of the database, by kind of process.

A lock that somebody holds must cost a page a second or two, never a thread for as long
as the lock lasts; a job can wait longer, and a migration longer still.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environs import Env

from cupadmin.setting_values import read_list

KINDS = ("web", "worker", "command")

# Seconds; 0 sets no limit.
CONNECT = {"web": 3.0, "worker": 10.0, "command": 10.0}
LOCK = {"web": 2.0, "worker": 10.0, "command": 60.0}
STATEMENT = {"web": 30.0, "worker": 300.0, "command": 0.0}
IDLE = {"web": 60.0, "worker": 300.0, "command": 0.0}
# SQLite has one lock for all writers, so that it is waited for longer.
BUSY = {"web": 5.0, "worker": 20.0, "command": 60.0}


@dataclass(frozen=True)
class ConnectionLimits:
    """Seconds that one kind of process waits for the database."""

    connect: float
    lock: float
    statement: float
    idle: float


def process_kind() -> str:
    """Return what this process is; `cupadmin.wsgi` marks the web server."""
    if marked := os.environ.get("CUPADMIN_PROCESS"):
        return marked
    program = Path(sys.argv[0])
    celery = "celery" in (program.name, program.parent.name)
    return "worker" if celery else "command"


def read_limits(env: Env, kind: str, *, sqlite: bool = False) -> ConnectionLimits:
    """Read this process's limits; what the environment leaves out has its default."""
    return ConnectionLimits(
        connect=_read_limits(env, "DATABASE_CONNECT_TIMEOUT", kind, CONNECT),
        lock=_read_limits(env, "DATABASE_LOCK_TIMEOUT", kind, BUSY if sqlite else LOCK),
        statement=_read_limits(env, "DATABASE_STATEMENT_TIMEOUT", kind, STATEMENT),
        idle=_read_limits(env, "DATABASE_IDLE_TIMEOUT", kind, IDLE),
    )


def _read_limits(env: Env, name: str, kind: str, defaults: dict[str, float]) -> float:
    """Read `web=2,worker=10`."""
    given = dict(read_list(env, name, limit_in, "web=2,worker=10,command=60"))
    return given.get(kind, defaults[kind])


def limit_in(text: str) -> tuple[str, float]:
    """Take one limit, as in `web=2`."""
    kind, _, seconds = map(str.strip, text.partition("="))
    if kind not in KINDS or not 0 <= float(seconds) <= 86_400:
        raise ValueError(text)
    return kind, float(seconds)


def sqlite_options(limits: ConnectionLimits) -> dict[str, Any]:
    return {
        # Immediate transactions queue for the lock instead of failing on upgrade.
        "transaction_mode": "IMMEDIATE",
        "timeout": limits.lock,
        # Mapped, a search reads the rows of all peers in a quarter of the time.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
        "PRAGMA mmap_size=268435456;",
    }


def postgres_options(limits: ConnectionLimits, given: dict[str, Any]) -> dict[str, Any]:
    """Limits as libpq takes them; what the URL says itself comes last and wins."""
    timeouts = {
        "lock_timeout": limits.lock,
        "statement_timeout": limits.statement,
        "idle_in_transaction_session_timeout": limits.idle,
    }
    flags = [f"-c {name}={round(1000 * value)}" for name, value in timeouts.items()]
    flags.append(given.get("options", ""))
    # libpq counts whole seconds, and takes 1 for 2.
    connect = {"connect_timeout": round(limits.connect)}
    return connect | given | {"options": " ".join(flags).strip()}
