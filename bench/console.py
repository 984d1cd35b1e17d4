"""The console in this process as its web server has it, and peers to fill it."""

import io
import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

CLUSTERS, ROUNDS = 60, 15


def prepare(directory: str, database: str = "") -> None:
    """Set Django up with data in this folder; the database is SQLite or the given."""
    os.environ |= {
        "CUPADMIN_DATA_DIR": directory,
        "CUPADMIN_DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "cupadmin.settings",
        "CUPADMIN_DEBUG": "0",
        "CUPADMIN_ALLOWED_HOSTS": "testserver",
        "CUPADMIN_LOG_LEVEL": "ERROR",
    }
    import django
    from django.core.management import call_command

    django.setup()
    from django.db import connection

    # `spent` reads one process of PostgreSQL, which ends with its connection.
    connection.settings_dict["CONN_MAX_AGE"] = None
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


def fill(size: int) -> None:
    """Add peers in every state, each with the twelve entries of its last check."""
    from django.utils import timezone

    from clusters.models import Cluster
    from diagnostics.judge.status import ENTRIES
    from peers.models import Peer

    homes = Cluster.objects.bulk_create(
        Cluster(name=f"cluster {n}", site=str(n)) for n in range(CLUSTERS)
    )
    now = timezone.now()
    Peer.objects.bulk_create(
        (
            Peer(
                cluster=homes[i % CLUSTERS],
                remote_cluster=homes[i * 7 % CLUSTERS] if i % 11 else None,
                address=f"node{i * 7919 % 10_000_000:07}.example.com",
                username=f"icuser{i % 997}",
                protocol=("TCP", "UDP", "TLS")[i % 3],
                provisioning_state=("applied", "pending")[i % 50 == 0],
                outcome="unknown" if i % 4 == 0 else "passed" if i % 500 else "failed",
                associated_users=i % 15_000 if i % 13 else None,
                remote_users=i % 15_000,
                checked_at=now - timedelta(seconds=i % 86_400) if i % 17 else None,
                entries=[
                    {
                        "code": entry.code,
                        "label": entry.label,
                        "outcome": "passed",
                        "problem": "",
                        "solution": "",
                        "duration_ms": i % 97 + 0.25,
                    }
                    for entry in ENTRIES
                ],
            )
            for i in range(1, size + 1)
        ),
        batch_size=500,
    )


def asking(path: str, **heads: str) -> Callable[[str], bytes]:
    """A request as the web server hands it over; give the query, get the body."""
    from cupadmin.wsgi import application

    def ask(query: str) -> bytes:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "HTTP_HOST": "testserver",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(),
            "wsgi.url_scheme": "http",
            **heads,
        }
        answered: list[str] = []
        body = b"".join(application(environ, lambda status, _: answered.append(status)))
        if not answered[0].startswith("200"):
            raise SystemExit(f"{query}: {answered[0]} {body[:200]!r}")
        return body

    return ask


def milliseconds(*works: Callable[[], object]) -> list[float]:
    """The median of each, in turns."""
    took: list[list[float]] = [[] for _ in works]
    for round_ in range(ROUNDS + 1):
        for times, work in zip(took, works, strict=True):
            started = spent()
            work()
            if round_:
                times.append(spent() - started)
    return [statistics.median(times) * 1000 for times in took]


def spent() -> float:
    """Seconds of a processor, in this process and in that of PostgreSQL behind the
    connection: the machine may be shared."""
    from django.db import connection

    if connection.vendor == "sqlite":
        return time.process_time()
    connection.ensure_connection()
    server = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return time.process_time() + int(server.read_text().split()[0]) / 1e9
