"""Entries a minute through the product's own pages, and the memory that it takes.

A markup that needs a script is measured where Chromium is installed.
Each entry is read, saved and read back as a job does it, in three visits, on a lab
without delay: what is measured is the console, not a cluster.
"""

import os
import resource
import threading
import time
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

from lab import Lab
from lab.pages import SKINS
from pages import PagesError, PeerPages, Visit
from pages.errors import PageCode
from wire import NodeAddress, PeerEntry, PeerValues, Policy, Secret, Trust, run_loop

ENTRIES = 10
# A minute has to bring more than a person enters in it.
FEWEST = 10.0
VALUES = PeerValues("intercluster", "TCP", password=Secret("bench secret"))


def visit(cluster, conversation):
    node = cluster.publisher
    address = NodeAddress(
        name=node.name,
        address=node.address,
        username="administrator",
        password=Secret(cluster.pages.password),
        trust=Trust(fingerprint=node.fingerprint),
        policy=Policy(networks=(ip_network("127.0.0.0/8"),)),
    )

    async def whole():
        async with Visit(address, node.pages_port, "/cupadmin/") as session:
            return await conversation(PeerPages(session))

    return run_loop(whole())


def provision(cluster, address: str) -> PeerEntry:
    visit(cluster, lambda pages: pages.find(address))
    visit(cluster, lambda pages: pages.save(address, VALUES, existing=None))
    return visit(cluster, lambda pages: pages.find(address))


def measure(cluster) -> float:
    """Give the entries a minute."""
    started = time.perf_counter()
    for number in range(ENTRIES):
        address = f"10.1.1.{number + 1}"
        found = provision(cluster, address)
        assert found is not None and found.address == address
    assert set(cluster.pages.saves.values()) == {1}
    return ENTRIES * 60 / (time.perf_counter() - started)


class Watch:
    """The most memory of processes below this one: what Chromium takes."""

    def __init__(self) -> None:
        self.most = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.25):
            self.most = max(self.most, sum(map(proportional, below(os.getpid()))))


def below(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = list(parents.get(pid, []))
    for one in found:
        found += parents.get(one, [])
    return found


def proportional(pid: int) -> float:
    """Give the memory of a process in MB, shared pages in proportion."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return (
            int(next(one for one in lines if one.startswith("Pss:")).split()[1]) / 1024
        )
    return 0.0


def main() -> None:
    worst = float("inf")
    with Lab(
        clusters=len(SKINS),
        nodes=1,
        users=(2,),
        network="auto",
        generation="imp",
        pages=tuple(SKINS),
        sip=False,
        dns=False,
        agent_interval=3600,
        shared_key=True,
    ) as lab:
        before = memory()
        for cluster in lab.clusters:
            watch = Watch()
            try:
                with watch:
                    rate = measure(cluster)
            except PagesError as error:
                if error.code is not PageCode.SCRIPT:
                    raise
                print(f"{cluster.pages.skin:10} needs a script")
                continue
            scripted = watch.most > 0
            worst = worst if scripted else min(worst, rate)
            also = f", Chromium {watch.most:.0f} MB" * scripted
            print(f"{cluster.pages.skin:10} {rate:8.1f} entries a minute{also}")
    print(f"memory     {memory() - before:8.1f} MB more at most, lab included")
    if worst < FEWEST:
        raise SystemExit(f"fewer than {FEWEST:.0f} entries a minute")


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
