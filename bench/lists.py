"""Find and List against Django admin's change list of the same model.

`python -m bench.lists [ROWS ...]`: 10,000 and 1,000,000 peers on SQLite in a folder of
their own, pages of 50 rows. Both are the view alone, as the signed-in user gets it.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
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


def peers(clusters: list[Any], first: int, last: int) -> Iterator[Any]:
    from peers.models import Outcome, Peer

    now = datetime.now(UTC)
    for n in range(first, last):
        yield Peer(
            cluster=clusters[n % CLUSTERS],
            remote_cluster=clusters[n * 7 % CLUSTERS] if n % 11 else None,
            address=f"node{n * 7919 % 10_000_000:07}.example.com",
            username=f"icuser{n % 997}",
            protocol=Peer.Protocol.values[n % 3],
            outcome=Outcome.FAILED if n % 500 == 0 else Outcome.values[n % 4],
            associated_users=n % 15_000 if n % 13 else None,
            remote_users=n % 15_000,
            checked_at=now - timedelta(seconds=n % 86_400) if n % 17 else None,
        )


def fill(size: int) -> None:
    from peers.models import Cluster, Peer

    clusters = list(Cluster.objects.order_by("name"))
    if not clusters:
        clusters = Cluster.objects.bulk_create(
            Cluster(name=f"cluster {n}") for n in range(CLUSTERS)
        )
    rows = peers(clusters, Peer.objects.count(), size)
    while batch := list(islice(rows, 20_000)):
        Peer.objects.bulk_create(batch)


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


def measure(size: int, first: float | None) -> tuple[float, bool]:
    from django.urls import reverse

    browser, find = client(), reverse("peers:find")
    admin = milliseconds(answers(browser, reverse("admin:peers_peer_changelist")))
    ours = {
        name: milliseconds(answers(browser, f"{find}?{query}"))
        for name, query in QUERIES.items()
    }
    first = first or ours["first"]
    ratio, worst = admin / ours["first"], max(ours.values()) / first
    print(f"\n{size:,} peers; Django admin's change list: {admin:.1f} ms")
    for name, took in ours.items():
        print(f"  {name:<26} {took:8.1f} ms {took / first:6.2f} x the first page")
    print(f"  {ratio:.1f} times faster (goal {GOALS.get(size, 1)})", end="")
    print(f", slowest page {worst:.2f} x the first of {SIZES[0]:,} (goal 1.5)")
    return first, ratio >= GOALS.get(size, 1) and worst <= 1.5


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
