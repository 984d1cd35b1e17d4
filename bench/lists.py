"""Find and List against Django admin's change list of the same model.

`python -m bench.lists [ROWS ...]`: 10,000 and 1,000,000 peers on SQLite in a folder of
their own, pages of 50 rows, asked for by the same signed-in superuser. The console is
set up as its web server does it and goes through all of its middleware; the change list
has the same columns and filters, and the middleware and templates of a fresh project.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

SIZES = (10_000, 1_000_000)
GOALS = {10_000: 5, 1_000_000: 30}
CLUSTERS, TURNS, ROUNDS = 60, 5, 10
QUERIES = {
    "first": "",
    "last": "last=1",
    "by status": "sort=status",
    "by status, last": "sort=status&last=1",
    "by home cluster": "sort=cluster",
    "by remote cluster, last": "sort=-remote_cluster&last=1",
    "by user name": "sort=username",
    "by users, last": "sort=associated_users&last=1",
    "by check": "sort=-checked_at",
    "address begins": "field=address&operator=begins&value=NODE0000",
    "address begins, many": "field=address&operator=begins&value=node",
    "address contains": "field=address&operator=contains&value=77",
    "address contains, none": "field=address&operator=contains&value=zzz",
    "address exact": "field=address&operator=exact&value=node0000042.example.com",
    "user name ends": "field=username&operator=ends&value=7",
    "status failed": "field=status&operator=exact&value=failed",
    "home cluster": "field=cluster&operator=exact&value=cluster+7",
    "protocol": "field=protocol&operator=exact&value=TLS",
    "failed, by check": "field=status&operator=exact&value=failed&sort=-checked_at",
    "failed in a cluster": "field=status&operator=exact&value=failed&"
    "field=cluster&operator=exact&value=cluster+7&sort=username",
}


def prepare(directory: str) -> None:
    os.environ["CUPADMIN_DATA_DIR"] = directory
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.lists_settings"
    os.environ["CUPADMIN_DEBUG"] = "0"
    os.environ["CUPADMIN_ALLOWED_HOSTS"] = "testserver"
    import django

    django.setup()


# What startproject writes into the settings.
MIDDLEWARE_OF_A_PROJECT = (
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)


# What differs between peers, by their number `i`; the rest is as in the first one.
COLUMNS = {
    "id": "lower(hex(randomblob(16)))",
    "cluster_id": f"(select id from peers_cluster where site = i % {CLUSTERS})",
    "remote_cluster_id": "case when i % 11 then "
    f"(select id from peers_cluster where site = i * 7 % {CLUSTERS}) end",
    "address": "printf('node%07d.example.com', i * 7919 % 10000000)",
    "username": "'icuser' || (i % 997)",
    "protocol": "case i % 3 when 0 then 'TCP' when 1 then 'UDP' else 'TLS' end",
    "outcome": "case when i % 500 = 0 then 'failed' when i % 4 then 'passed' "
    "else 'unknown' end",
    "associated_users": "case when i % 13 then i % 15000 end",
    "remote_users": "i % 15000",
    "checked_at": "case when i % 17 then "
    "datetime('now', '-' || (i % 86400) || ' seconds') end",
}


def fill(size: int) -> None:
    """Add peers up to this many, in SQL, since a million take Django minutes."""
    from django.db import connection

    from peers.models import Cluster, Peer

    if not Cluster.objects.exists():
        Cluster.objects.bulk_create(
            Cluster(name=f"cluster {n}", site=str(n)) for n in range(CLUSTERS)
        )
        Peer.objects.create(cluster=Cluster.objects.first(), address="first.example")
    fields = [f.column for f in Peer._meta.concrete_fields if not f.generated]
    chosen = ", ".join(COLUMNS.get(name, f"p.{name}") for name in fields)
    sql = (
        f"insert into peers_peer ({', '.join(fields)}) "
        "with recursive n(i) as (select %s union all select i + 1 from n where i < %s)"
        f" select {chosen} from n, peers_peer p where p.address = 'first.example'"
    )
    with connection.cursor() as cursor:
        cursor.execute("pragma synchronous = off")
        cursor.execute("pragma cache_size = -400000")
        # The driver takes a lone percent sign for a parameter.
        sql = sql.replace(" % ", " %% ").replace("%07d", "%%07d")
        cursor.execute(sql, [Peer.objects.count(), size - 1])


def client(middleware: tuple[str, ...] = ()) -> Any:
    """A signed-in browser, through this middleware or the console's."""
    from django.contrib.auth.models import User
    from django.test import Client, override_settings

    user, _ = User.objects.get_or_create(
        username="bench", is_superuser=True, is_staff=True
    )
    browser = Client()
    browser.force_login(user)
    with override_settings(**{"MIDDLEWARE": middleware} if middleware else {}):
        browser.handler.load_middleware()
    return browser


def milliseconds(browser: Any, urls: dict[str, str]) -> dict[str, float]:
    """The least time of the processor for each, since the machine may be shared."""
    for url in urls.values():
        seconds(browser, url)
    return {
        name: min(seconds(browser, url) for _ in range(ROUNDS)) * 1000
        for name, url in urls.items()
    }


def seconds(browser: Any, url: str) -> float:
    began = time.process_time()
    response = browser.get(url)
    took = time.process_time() - began
    if response.status_code != 200:
        raise SystemExit(f"{url}: {response.status_code}")
    return took


# The same questions to the change list. What narrows the result is a filter.
ADMIN = {
    "first": "",
    "last": "p={last}",
    "by status": "o=1",
    "by check": "o=-8",
    "address contains": "q=77",
    "address contains, none": "q=zzz",
    "status failed": "outcome__exact=failed",
    "home cluster": "cluster__id__exact={cluster}",
    "protocol": "protocol__exact=TLS",
    "failed, by check": "outcome__exact=failed&o=-8",
}


def ours() -> dict[str, float]:
    """Each question to the console, in a process that is set up as its web server."""
    from django.urls import reverse

    import cupadmin.wsgi  # noqa: F401

    browser, find = client(), reverse("peers:find")
    return milliseconds(browser, {name: f"{find}?{q}" for name, q in QUERIES.items()})


def admin(size: int) -> dict[str, float]:
    from django.urls import reverse

    from peers.models import Cluster

    browser = client(MIDDLEWARE_OF_A_PROJECT)
    page = reverse("admin:peers_peer_changelist")
    values = {"last": size // 50, "cluster": Cluster.objects.get(site="7").pk}
    urls = {name: f"{page}?{query.format(**values)}" for name, query in ADMIN.items()}
    return milliseconds(browser, urls)


def in_turns(size: int) -> tuple[dict[str, float], dict[str, float]]:
    """The best of each, each in processes of its own, turn and turn about."""
    best: dict[str, dict[str, float]] = {"ours": {}, "admin": {}}
    for _ in range(TURNS):
        for name, least in best.items():
            command = [sys.executable, "-m", "bench.lists", name, str(size)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
            for question, took in json.loads(done.stdout).items():
                least[question] = min(took, least.get(question, took))
    return best["ours"], best["admin"]


def measure(size: int, first: float | None) -> tuple[float, bool]:
    mine, others = in_turns(size)
    first = first or mine["first"]
    report(size, first, mine, others)
    goal = GOALS.get(size, 1)
    total = sum(others.values()) / sum(mine[name] for name in others)
    middle = statistics.median(took / mine[name] for name, took in others.items())
    worst = max(mine.values()) / first
    print(f"  all {len(others)} questions together {total:.1f} times (goal {goal})")
    print(f"  of each the median {middle:.1f} times")
    print(f"  slowest {worst:.2f} x the first page of {SIZES[0]:,} (goal 1.5)")
    return first, total >= goal and worst <= 1.5


def report(
    size: int, first: float, mine: dict[str, float], others: dict[str, float]
) -> None:
    print(f"\n{size:,} peers{'ours, ms':>27}{'first = 1':>11}{'admin, ms':>11}  times")
    for name, took in mine.items():
        other = others.get(name)
        told = f"{other:11.1f}{other / took:7.1f}" if other else ""
        print(f"  {name:<28}{took:8.1f}{took / first:11.2f}{told}")


def main() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    first, good = None, True
    for size in [int(given) for given in sys.argv[1:]] or SIZES:
        fill(size)
        first, reached = measure(size, first)
        good &= reached
    if not good:
        sys.exit("\nmissed")


if __name__ == "__main__":
    name, *rest = [*sys.argv[1:], ""]
    if name in ("ours", "admin"):
        prepare(os.environ["CUPADMIN_DATA_DIR"])
        print(json.dumps(ours() if name == "ours" else admin(int(rest[0]))))
    else:
        with tempfile.TemporaryDirectory() as directory:
            prepare(directory)
            main()
