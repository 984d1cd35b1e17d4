"""Find and List of 20,000 peers: the whole request against raw SQL.

`python -m bench.lists [URL ...]`: on SQLite and on the PostgreSQL that
CUPADMIN_BENCH_POSTGRES names, in a database of its own. A request goes through the WSGI
application with every middleware, the session and the rows' HTML; the floor asks the
same with a cursor, counts, and formats the same columns of the rows, nothing else.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from bench import console

PEERS = 20_000
GOAL_MS, GOAL_RATIO = 30.0, 5.0
DATABASE = "cupadmin_bench_lists"
POSTGRES = os.environ.get(
    "CUPADMIN_BENCH_POSTGRES", "postgres://postgres@127.0.0.1:5432"
)

# The parameters of the page; what the floor asks: condition, order, page, rows.
ADDRESS = "p.address, p.id"
QUESTIONS: dict[str, tuple[str, str, str, int, int]] = {
    "first page": ("", "", ADDRESS, 1, 50),
    "page 200": ("page=200", "", ADDRESS, 200, 50),
    "last page": ("page=400", "", ADDRESS, 400, 50),
    "250 rows": ("page=40", "", ADDRESS, 40, 250),
}
SORTS = {
    "status": "p.severity",
    "address": "p.address",
    "cluster": "h.name",
    "remote_cluster": "r.name",
    "username": "lower(p.username)",
    "protocol": "p.protocol",
    "associated_users": "p.associated_users",
    "checked_at": "p.checked_at",
}
FILTERS = {
    ("address", "begins", "NODE0000"): "lower(p.address) like 'node0000%'",
    ("address", "contains", "77"): "p.address like '%77%'",
    ("address", "contains", "zzz"): "p.address like '%zzz%'",
    ("address", "exact", "node0000042.example.com"): "p.address = 'node0000042."
    "example.com'",
    ("username", "ends", "7"): "p.username like '%7'",
    ("status", "exact", "failed"): "p.severity = 0",
    ("cluster", "exact", "cluster 7"): "h.name = 'cluster 7'",
    ("remote_cluster", "empty", ""): "p.remote_cluster_id is null",
    ("protocol", "exact", "TLS"): "p.protocol = 'TLS'",
}
for name, column in SORTS.items():
    for sign, way in (("", "asc"), ("-", "desc")):
        for page in (1, 300):
            query, order = f"sort={sign}{name}&page={page}", f"{column} {way}"
            asked = (query, "", f"{order} nulls last, p.id {way}", page, 50)
            QUESTIONS[f"by {sign}{name}, page {page}"] = asked
for (name, operator, value), condition in FILTERS.items():
    for sort in ("address", "-checked_at"):
        query = f"field={name}&operator={operator}&value={value}&sort={sort}"
        order = ADDRESS if sort == "address" else "p.checked_at desc nulls last, p.id"
        title = f"{name} {operator} {value}, by {sort}"
        QUESTIONS[title] = (query.replace(" ", "+"), condition, order, 1, 50)

COUNT = """select count(*) from peers_peer p
  join clusters_cluster h on h.id = p.cluster_id"""
SELECT = """select p.id, p.address, h.id, h.name, r.id, r.name, p.username, p.protocol,
    p.outcome, p.provisioning_state, p.drift, p.removing, p.associated_users,
    p.remote_users, p.checked_at
  from peers_peer p join clusters_cluster h on h.id = p.cluster_id
  left join clusters_cluster r on r.id = p.remote_cluster_id"""


def floor(where: str, order: str, page: int, rows: int) -> str:
    from django.db import connection

    where = f" where {where}" if where else ""
    place = f" limit {rows} offset {(page - 1) * rows}"
    with connection.cursor() as cursor:
        cursor.execute(f"{COUNT}{where}")
        count = cursor.fetchone()[0]
        cursor.execute(f"{SELECT}{where} order by {order}{place}")
        return f"{count} records found" + "".join(map(line, cursor.fetchall()))


def line(row: tuple[Any, ...]) -> str:
    cells = "</td><td>".join(escape(str(value)) for value in row)
    return f"<tr><td>{cells}</td></tr>\n"


def cookie() -> str:
    """Sign somebody in, who may see all and select rows."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    browser = Client()
    browser.force_login(User.objects.create_user("bench", is_superuser=True))
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={browser.cookies[name].value}"


def measure(database: str, directory: str) -> bool:
    console.prepare(directory, database)
    console.fill(PEERS)
    from django.db import connection
    from django.urls import reverse

    connection.settings_dict["CONN_MAX_AGE"] = None
    connection.close()
    with connection.cursor() as cursor:
        # PostgreSQL does so by itself within a minute of such a load.
        vacuum = "vacuum " if connection.vendor == "postgresql" else ""
        cursor.execute(f"{vacuum}analyze")
    find = console.asking(reverse("peers:find"), HTTP_COOKIE=cookie())
    head = f"{PEERS:,} peers on {connection.vendor}, CPU ms"
    print(f"\n{head:<52}{'ours':>8}{'floor':>8}{'ratio':>8}")
    passed = [row(find, name, *asked) for name, asked in QUESTIONS.items()]
    return all(passed)


def row(find: Callable[[str], bytes], name: str, query: str, *floor_asks: Any) -> bool:
    # How many rows was last chosen is remembered.
    query = f"rows={floor_asks[-1]}&{query}"
    mine, least = console.milliseconds(lambda: find(query), lambda: floor(*floor_asks))
    passed = mine <= GOAL_MS and mine <= GOAL_RATIO * least
    verdict = "PASS" if passed else "missed"
    ratio = mine / least
    print(f"  {name:<50}{mine:8.1f}{least:8.1f}{ratio:8.1f}  {verdict}", flush=True)
    return passed


@contextlib.contextmanager
def databases() -> Iterator[list[str]]:
    """SQLite, and a database of its own on PostgreSQL."""
    import psycopg

    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as server:
        server.execute(f"drop database if exists {DATABASE}")
        server.execute(f"create database {DATABASE}")
        try:
            yield ["", f"{POSTGRES}/{DATABASE}"]
        finally:
            server.execute(f"drop database {DATABASE} with (force)")


def main() -> None:
    with databases() as urls:
        command = [sys.executable, "-m", "bench.lists"]
        ended = [subprocess.run([*command, url]).returncode for url in urls]
    sys.exit(any(ended))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with tempfile.TemporaryDirectory() as folder:
            sys.exit(not measure(sys.argv[1], folder))
    main()
