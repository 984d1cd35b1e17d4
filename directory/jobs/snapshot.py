"""Take snapshots: some clusters at a time, each stored whole or not at all."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

import wire
from accounts.audit import Actor
from accounts.roles import Role
from clusters.connections import address_of
from clusters.contacts import remember_error
from clusters.discovery import require_publisher
from clusters.models import Cluster
from clusters.requests import submit_for, take_near
from directory import comparison_history, store
from directory.models import Snapshot
from directory.reading import DirectoryReading, read_users
from directory.store import Content
from jobs.kind import JobKind, StepKind
from jobs.locks import JobLock
from jobs.models import Job, JobStep
from jobs.run import Run
from wire import NodeAddress, WireError

# So many clusters are read at once; the users of each are held until it is stored.
AT_ONCE = 4
# Seconds that a worker stays with the job, which comes back for the other clusters.
ATTENDED = 60.0
GONE = "The cluster was removed from the console."
FULL = "The snapshot could not be stored; look at the disk and the database."
TOO_LARGE = "The worker's memory is too small for these users; give it more."

Result = tuple[str, str]
# None: there was not memory enough.
Outcome = tuple[DirectoryReading, Content] | WireError | None


class SnapshotDirectory(JobKind):
    name = "snapshot-directory"
    label = "Take snapshot"
    role = Role.OPERATOR

    read = StepKind("Read the users of {cluster}")
    compare = StepKind("Compare the users of the peers")

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.users: dict[str, int] = {}
        self.names: dict[str, str] = {}

    @classmethod
    def submit(cls, clusters: Sequence[Cluster], actor: Actor) -> Job:
        """Submit the job that takes a snapshot of each of these clusters.

        Raises:
            jobs.locks.Busy: one of them is being read already.
        """
        steps = [cls.read.keyed(one.pk).planned(cluster=one) for one in clusters]
        return submit_for(
            clusters,
            cls,
            [*steps, cls.compare.planned()],
            actor,
            "take snapshots",
            locks=[lock_of(one) for one in clusters],
        )

    @classmethod
    def due(cls, now: datetime) -> list[Cluster]:
        """The clusters whose users were not read, nor tried to be, for an interval."""
        if settings.DIRECTORY_INTERVAL <= 0:
            return []
        oldest = now - timedelta(seconds=settings.DIRECTORY_INTERVAL)
        fresh = Snapshot.objects.filter(taken_at__gt=oldest)
        jobs = cls.all().filter(created_at__gt=oldest)
        tried = JobStep.objects.filter(job__in=jobs)
        keys = set(tried.values_list("key", flat=True))
        locks = JobLock.objects.filter(name__startswith="directory:")
        busy = set(locks.values_list("name", flat=True))
        clusters = Cluster.objects.exclude(pk__in=fresh.values("cluster"))
        return [
            one
            for one in clusters.prefetch_related("nodes")
            if str(one.pk) not in keys and lock_of(one) not in busy and is_readable(one)
        ]

    def work(self) -> None:
        self.read_all()
        read, failed = self.keys(JobStep.State.DONE), self.keys(JobStep.State.FAILED)
        self.run.do(
            self.compare, lambda step: comparison_history.compare_peers(map(UUID, read))
        )
        if failed:
            total = len(read) + len(failed)
            self.run.fail(
                f"{len(failed)} of {total} clusters could not be read; "
                "their previous snapshots are kept."
            )

    def read_all(self) -> None:
        """Read every cluster that is still to be read, some at once."""
        for _ in self.run.rounds(pause=0, attended=ATTENDED, later=0):
            waiting = take_near(
                self.run, self.keys(JobStep.State.PENDING, JobStep.State.RUNNING)
            )
            if not waiting:
                return
            self.read_some(waiting[:AT_ONCE])

    def keys(self, *states: JobStep.State) -> list[str]:
        steps = self.run.job.steps.filter(state__in=states).exclude(
            key=self.compare.key
        )
        return list(steps.values_list("key", flat=True))

    def read_some(self, keys: list[str]) -> None:
        found = Cluster.objects.filter(pk__in=keys).prefetch_related("nodes")
        clusters = {str(one.pk): one for one in found}
        self.names = {key: one.name for key, one in clusters.items()}
        self.run.begin_steps({key: {} for key in keys}, "Read users")
        at, started = timezone.now(), time.monotonic()
        addresses, results = self.addresses(clusters)
        results |= {key: failed_result(GONE) for key in keys if key not in clusters}
        for key, outcome in wire.run_loop(self.read_users(addresses, clusters)).items():
            duration_ms = round((time.monotonic() - started) * 1000)
            results[key] = store_outcome(clusters[key], outcome, at, duration_ms)
        self.run.end_steps(results)

    def addresses(
        self, clusters: Mapping[str, Cluster]
    ) -> tuple[dict[str, NodeAddress], dict[str, Result]]:
        addresses: dict[str, NodeAddress] = {}
        results: dict[str, Result] = {}
        for key, cluster in clusters.items():
            try:
                addresses[key] = address_of(require_publisher(cluster))
            except WireError as error:
                results[key] = failed_result(in_words(error))
        return addresses, results

    async def read_users(
        self, addresses: Mapping[str, NodeAddress], clusters: Mapping[str, Cluster]
    ) -> dict[str, Outcome]:
        async def one(key: str) -> Outcome:
            try:
                reading = await read_users(
                    addresses[key],
                    clusters[key].profile,
                    lambda users: self.show_progress(key, users),
                )
                return reading, await asyncio.to_thread(content_of, reading)
            except WireError as error:
                return error
            except MemoryError:
                return None

        outcomes = await asyncio.gather(*map(one, addresses))
        return dict(zip(addresses, outcomes, strict=True))

    def show_progress(self, key: str, users: int) -> None:
        self.users[key] = users
        job = self.run.job
        doing = f"{self.names[key]}: {users:,} users read"
        self.run.progress(job.total - len(self.names) - 1, job.total, doing)


def lock_of(cluster: Cluster) -> str:
    return f"directory:{cluster.pk}"


def is_readable(cluster: Cluster) -> bool:
    """Whether there is a publisher to query, and anything may be sent to it."""
    return bool(cluster.publisher and cluster.publisher.trusted)


def content_of(reading: DirectoryReading) -> Content:
    """What is to be stored, made while other clusters are still being read."""
    return store.compress_pieces(reading.builder.finish())


def store_outcome(
    cluster: Cluster, outcome: Outcome, at: datetime, took: int
) -> Result:
    """Store what was read; the snapshot before it stays when that fails."""
    if outcome is None:
        return failed_result(TOO_LARGE)
    if isinstance(outcome, WireError):
        remember_error(require_publisher(cluster), outcome)
        return failed_result(in_words(outcome))
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
        store.save_snapshot(snapshot, content)
        store.prune_snapshots(cluster, settings.DIRECTORY_SNAPSHOTS)
    except (DatabaseError, OSError, MemoryError):
        return failed_result(FULL)
    return JobStep.State.DONE, in_numbers(snapshot, reading)


def in_numbers(snapshot: Snapshot, reading: DirectoryReading) -> str:
    words = [f"{snapshot.users:,} users"]
    if snapshot.nodes.get(""):
        words.append(f"{snapshot.nodes['']:,} of them without a home node")
    if reading.repeated:
        words.append(f"{reading.repeated:,} rows came twice, for users were added")
    if snapshot.absent:
        words.append("this release has no column " + ", ".join(snapshot.absent))
    return "; ".join(words) + "."


def failed_result(sentence: str) -> Result:
    return JobStep.State.FAILED, sentence


def in_words(error: WireError) -> str:
    return f"{error.message} {error.remedy}".strip()
