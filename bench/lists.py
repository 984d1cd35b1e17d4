"""Find and List against Django admin's change list of the same model.

`python -m bench.lists [ROWS ...]`: 10,000 and 1,000,000 peers on SQLite in a folder of
their own, pages of 50 rows. Both are the view alone, as the signed-in user gets it.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZES = (10_000, 1_000_000)
GOALS = {10_000: 5, 1_000_000: 30}
CLUSTERS, ROUNDS = 60, 7
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
    "failed, by check": "field=status&operator=exact&value=failed&sort=-checked_at",
    "failed in a cluster": "field=status&operator=exact&value=failed&"
    "field=cluster&operator=exact&value=cluster+7&sort=username",
}


def prepare(directory: str) -> None:
    os.environ["CUPADMIN_DATA_DIR"] = directory
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.lists"
    os.environ["CUPADMIN_DEBUG"] = "0"
    os.environ["CUPADMIN_ALLOWED_HOSTS"] = "testserver"
    import django

    django.setup()


if os.environ.get("DJANGO_SETTINGS_MODULE") == "bench.lists":
    import django

    from cupadmin.settings import *  # noqa: F403

    INSTALLED_APPS = ["django.contrib.admin", *INSTALLED_APPS]  # noqa: F405
    # The admin's pages declare no access.
    MIDDLEWARE = [name for name in MIDDLEWARE if "Declared" not in name]  # noqa: F405
    TEMPLATES[0]["DIRS"] += [Path(django.__file__).parent / "contrib/admin/templates"]  # noqa: F405
    STATIC_ROOT = None
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        },
    }
    ROOT_URLCONF = "bench.lists_urls"


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


def client() -> Any:
    from django.contrib.auth.models import User
    from django.test import Client

    user, _ = User.objects.get_or_create(
        username="bench", is_superuser=True, is_staff=True
    )
    signed_in = Client()
    signed_in.force_login(user)
    return signed_in


def answers(browser: Any, url: str) -> Callable[[], None]:
    def ask() -> None:
        response = browser.get(url)
        if response.status_code != 200:
            raise SystemExit(f"{url}: {response.status_code}")

    return ask


def milliseconds(work: Callable[[], None]) -> float:
    """The processor's time, since the machine may be shared."""
    work()
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return statistics.median(took) * 1000


# The same questions to the change list.
ADMIN = {"first": "", "last": "p={last}", "address contains": "q=77"}


def measure(size: int, first: float | None) -> tuple[float, bool]:
    from django.urls import reverse

    browser, find = client(), reverse("peers:find")
    page = reverse("admin:peers_peer_changelist")
    admin = {
        name: milliseconds(answers(browser, f"{page}?{query.format(last=size // 50)}"))
        for name, query in ADMIN.items()
    }
    ours = {
        name: milliseconds(answers(browser, f"{find}?{query}"))
        for name, query in QUERIES.items()
    }
    first = first or ours["first"]
    worst = max(ours.values()) / first
    ratios = {name: took / ours[name] for name, took in admin.items()}
    print(f"\n{size:,} peers")
    for name, took in ours.items():
        print(f"  {name:<26} {took:8.1f} ms {took / first:6.2f} x the first page")
    for name, took in admin.items():
        times = f"{ratios[name]:.1f} times ours (goal {GOALS.get(size, 1)})"
        print(f"  admin, {name:<19} {took:8.1f} ms, {times}")
    print(f"  slowest {worst:.2f} x the first page of {SIZES[0]:,} (goal 1.5)")
    return first, min(ratios.values()) >= GOALS.get(size, 1) and worst <= 1.5


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
    with tempfile.TemporaryDirectory() as directory:
        prepare(directory)
        main()
