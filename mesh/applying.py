"""Applying a plan: rows, audit entries and one job, in one transaction."""

from collections.abc import Mapping
from typing import Protocol

from django.db import transaction

from accounts.audit import Actor
from clusters.models import Cluster
from diagnostics.jobs.check import CheckPeers
from jobs.models import Job
from mesh import planned
from mesh.intent import MeshIntent
from mesh.jobs.set_up import SetUpPeerings
from mesh.observed import UnmanagedEntry
from mesh.pairs import direction_of
from mesh.plan import plan_mesh
from peers import lifecycle
from peers.models import Peer


class PlanChanged(Exception):
    """The plan is no longer what it was."""


class PlanBlocked(Exception):
    """The plan has errors; nothing of it is applied."""


def apply_plan(intent: MeshIntent, plan_hash: str, actor: Actor) -> Job:
    """Submit the job that makes the plan the desired state and brings it to clusters.

    Nothing else changes: the job does that entry by entry, once clusters are ready. A
    plan that changes nothing leads to a job that verifies, so that applying twice is
    harmless and ends with the same certainty.

    Raises:
        PlanChanged: its hash differs now.
        PlanBlocked: one of its steps has an error.
        jobs.locks.Busy: an unfinished job works on one of its clusters.
    """
    with transaction.atomic():
        # Locks the clusters in one order, so that two plans cannot interleave.
        ids = sorted({cluster.pk for pair in intent.pairs for cluster in pair})
        list(Cluster.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
        current = plan_mesh(intent)
        if current.hash != plan_hash:
            raise PlanChanged("Something changed since this plan was made. Plan again.")
        if current.errors:
            raise PlanBlocked(" ".join(current.errors))
        entries = {
            direction_of(step): planned.planned_entry(step) for step in current.changes
        }
        job = SetUpPeerings.submit(current, entries, actor)
        planned.store_plan(job, entries.values(), current)
        return job


def adopt_entry(unmanaged: UnmanagedEntry, password: str, actor: Actor) -> Peer:
    """Take an entry that is on a cluster into the console, as it stands there.

    Raises:
        django.core.exceptions.ValidationError: it breaks a rule of peers.
    """
    with transaction.atomic():
        peer = take_in(unmanaged, password, actor)
        CheckPeers.submit([peer], actor)
    return peer


class UnmanagedPeer(Protocol):
    """An entry as a cluster shows it."""

    @property
    def home(self) -> Cluster: ...
    @property
    def remote(self) -> Cluster | None: ...
    @property
    def values(self) -> Mapping[str, str]: ...
    @property
    def assumed(self) -> tuple[str, ...]: ...


def take_in(seen: UnmanagedPeer, password: str, actor: Actor) -> Peer:
    """Store a peer that stands on its cluster already.

    Raises:
        django.core.exceptions.ValidationError: it breaks a rule of peers.
    """
    peer = Peer(
        cluster=seen.home,
        remote_cluster=seen.remote,
        assumed=list(seen.assumed),
        **seen.values,
    )
    return lifecycle.adopt_entry(peer, password, actor)
