"""Import of a whole mesh from a CSV file against bare inserts of its peers.

`python -m bench.exchange [CLUSTERS ...]`: meshes of 32, 60 and 100 clusters, that is
992, 3,540 and 9,900 rows, on SQLite in a folder of their own. Each file is previewed,
imported, and what is exported then imported again, which changes nothing. The times are
the processor's, since the machine may be shared.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

SIZES = (32, 60, 100)
# Milliseconds a row, and times the bare insert of its peer: a row is a peer, an audit
# entry, a job with four steps, a lock and its cluster.
GOAL, TIMES = 2.0, 15


def prepare() -> None:
    os.environ["CUPADMIN_DATA_DIR"] = tempfile.mkdtemp(prefix="cupadmin-bench-")
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["CUPADMIN_DEBUG"] = "0"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def add_clusters(size: int) -> None:
    from clusters.models import Cluster, Node

    clusters = [
        Cluster(name=f"cluster-{n:03}", axl_username="axl", provisioning="direct")
        for n in range(size)
    ]
    Cluster.objects.bulk_create(clusters)
    Node.objects.bulk_create(
        Node(
            cluster=cluster,
            name=f"{cluster}-pub.example.com",
            address=f"10.{n // 250}.{n % 250}.1",
            certificate_state=Node.CertificateState.TRUSTED,
        )
        for n, cluster in enumerate(clusters)
    )


def mesh(size: int) -> bytes:
    """The file: a peer on every cluster for every other."""
    names = [f"cluster-{n:03}" for n in range(size)]
    rows = [
        f"{home},{remote}-pub.example.com,icuser,open sesame,TCP,+1408902XXXX"
        for home in names
        for remote in names
        if home != remote
    ]
    heading = "cluster,address,username,password,protocol,external_phone_number_mask"
    return "\n".join([heading, *rows]).encode()


def floor() -> float:
    """The same peers, in rows of the one table only, with nothing asked or told."""
    from django.db import transaction

    from peers.models import Peer

    peers = list(Peer.objects.all())
    with transaction.atomic():
        Peer.objects.all().delete()
        took, _ = seconds(lambda: Peer.objects.bulk_create(peers, batch_size=200))
    return took


def keep(content: bytes) -> Any:
    from django.contrib.auth.models import User

    from peers.imports import uploads

    user, _ = User.objects.get_or_create(username="bench")
    return uploads.store_upload(user, "mesh.csv", content)


def measure(size: int) -> bool:
    from accounts.audit import CONSOLE
    from peers.imports import apply as applying
    from peers.imports import exports, uploads
    from peers.models import Peer

    def preview() -> None:
        result = applying.preview_import(uploads.entries_of(saved))
        if result.added != rows:
            raise SystemExit("not all of them")

    def apply() -> Any:
        result = applying.apply_import(uploads.entries_of(saved), CONSOLE, saved)
        if result.errors or result.refused:
            raise SystemExit(result.refused or result.errors[0].errors)
        return result

    add_clusters(size)
    rows = size * (size - 1)
    saved = keep(mesh(size))
    took = {}
    took["preview"], _ = seconds(preview)
    took["import"], _ = seconds(apply)
    if Peer.objects.count() != rows:
        raise SystemExit("not all of them")
    saved = keep(exports.peers_csv().getvalue())
    took["again"], same = seconds(apply)
    if same.changes:
        raise SystemExit("the same file again changes something")
    bare = floor()
    print(f"\n{rows:,} peers of {size} clusters    seconds   ms a row     rows/s")
    for name, one in {**took, "bare insert": bare}.items():
        print(f"  {name:<28}{one:9.2f}{one / rows * 1000:11.3f}{rows / one:11,.0f}")
    print(f"  import: {took['import'] / bare:.1f} times a bare insert (goal {TIMES})")
    slowest = max(took.values()) / rows * 1000
    print(f"  slowest: {slowest:.2f} ms a row (goal {GOAL})")
    return slowest <= GOAL and took["import"] / bare <= TIMES


def main() -> None:
    prepare()
    good = True
    for size in [int(given) for given in sys.argv[1:]] or SIZES:
        good &= measure(size)
        from clusters.models import Cluster
        from jobs.models import Job

        Job.objects.all().delete()
        Cluster.objects.all().delete()
    if not good:
        sys.exit("\nmissed")


if __name__ == "__main__":
    main()
