"""Taking snapshots: some clusters at a time, each stored whole or not at all."""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

import wire
from directory import store
from directory.models import Snapshot
from directory.reading import Reading, read_users
from directory.snapshots import COMPARE
from directory.store import Content
from jobs.models import JobStep
from jobs.run import Run
from peers.connections import address_of
from peers.conversation import remember_error
from peers.discovery import publisher_of
from peers.models import Cluster
from wire import NodeAddress, WireError

# So many clusters are read at once; the users of each are held until it is stored.
AT_ONCE = 4
# A task has 300 seconds, and one cluster may need most of them; the job comes back
# for the others.
PATIENCE = 60.0
GONE = "The cluster was removed from the console."
FULL = "The snapshot could not be stored; look at the disk and the database."
TOO_LARGE = "The worker's memory is too small for these users; give it more."

Result = tuple[str, str]
# None: there was not memory enough.
Outcome = tuple[Reading, Content] | WireError | None


class Taking:
    """One attempt at the job."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.users: dict[str, int] = {}
        self.names: dict[str, str] = {}

    def work(self) -> list[str]:
        """Read every cluster that is still to be read; name those that failed."""
        began = time.monotonic()
        while waiting := self.keys(JobStep.State.PENDING, JobStep.State.RUNNING):
            self.run.check()
            self.wave(waiting[:AT_ONCE])
            if waiting[AT_ONCE:] and time.monotonic() - began > PATIENCE:
                self.run.park(0)
        return self.keys(JobStep.State.FAILED)

    def keys(self, *states: JobStep.State) -> list[str]:
        steps = self.run.job.steps.filter(state__in=states).exclude(key=COMPARE)
        return list(steps.values_list("key", flat=True))

    def wave(self, keys: list[str]) -> None:
        found = Cluster.objects.filter(pk__in=keys).prefetch_related("nodes")
        clusters = {str(one.pk): one for one in found}
        self.names = {key: one.name for key, one in clusters.items()}
        self.run.remember({key: {} for key in keys}, "Read users")
        at, begun = timezone.now(), time.monotonic()
        addresses, results = self.addresses(clusters)
        results |= {key: failed(GONE) for key in keys if key not in clusters}
        for key, outcome in wire.run(self.read(addresses, clusters)).items():
            took = round((time.monotonic() - begun) * 1000)
            results[key] = keep(clusters[key], outcome, at, took)
        self.run.settle(results)

    def addresses(
        self, clusters: Mapping[str, Cluster]
    ) -> tuple[dict[str, NodeAddress], dict[str, Result]]:
        addresses: dict[str, NodeAddress] = {}
        results: dict[str, Result] = {}
        for key, cluster in clusters.items():
            try:
                addresses[key] = address_of(publisher_of(cluster))
            except WireError as error:
                results[key] = failed(in_words(error))
        return addresses, results

    async def read(
        self, addresses: Mapping[str, NodeAddress], clusters: Mapping[str, Cluster]
    ) -> dict[str, Outcome]:
        async def one(key: str) -> Outcome:
            try:
                reading = await read_users(
                    addresses[key],
                    clusters[key].profile,
                    lambda users: self.tell(key, users),
                )
                return reading, await asyncio.to_thread(content_of, reading)
            except WireError as error:
                return error
            except MemoryError:
                return None

        outcomes = await asyncio.gather(*map(one, addresses))
        return dict(zip(addresses, outcomes, strict=True))

    def tell(self, key: str, users: int) -> None:
        self.users[key] = users
        job = self.run.job
        doing = f"{self.names[key]}: {users:,} users read"
        self.run.progress(job.total - len(self.names) - 1, job.total, doing)


def content_of(reading: Reading) -> Content:
    """What is to be stored, made while other clusters are still being read."""
    return store.compressed(reading.builder.finish())


def keep(cluster: Cluster, outcome: Outcome, at: datetime, took: int) -> Result:
    """Store what was read; the snapshot before it stays when that fails."""
    if outcome is None:
        return failed(TOO_LARGE)
    if isinstance(outcome, WireError):
        remember_error(publisher_of(cluster), outcome)
        return failed(in_words(outcome))
    reading, content = outcome
    snapshot = Snapshot(
        cluster=cluster,
        taken_at=at,
        duration_ms=took,
        users=len(reading.builder),
        nodes=reading.builder.counts(),
        own_nodes=reading.own_nodes,
        absent=reading.absent,
    )
    try:
        store.save(snapshot, content)
        store.prune(cluster, settings.DIRECTORY_SNAPSHOTS)
    except (DatabaseError, OSError, MemoryError):
        return failed(FULL)
    return JobStep.State.DONE, in_numbers(snapshot, reading)


def in_numbers(snapshot: Snapshot, reading: Reading) -> str:
    words = [f"{snapshot.users:,} users"]
    if snapshot.nodes.get(""):
        words.append(f"{snapshot.nodes['']:,} of them without a home node")
    if reading.repeated:
        words.append(f"{reading.repeated:,} rows came twice, for users were added")
    if snapshot.absent:
        words.append("this release has no column " + ", ".join(snapshot.absent))
    return "; ".join(words) + "."


def failed(sentence: str) -> Result:
    return JobStep.State.FAILED, sentence


def in_words(error: WireError) -> str:
    return f"{error.message} {error.remedy}".strip()
