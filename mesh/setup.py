"""Setting up peerings: both sides of a pair are one operation.

A pair whose second side fails is undone as far as this job made it; an update is never
undone, since the password that stood before is not known. What stays half done is said.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.urls import reverse

from accounts.audit import Actor
from diagnostics.checks import check
from diagnostics.troubleshoot import submit_run
from jobs.failpoints import failpoint
from jobs.models import Job, JobStep
from jobs.run import Ended, Parked, Run, Step
from mesh.readiness import ready, start_agents
from peers import provisioning
from peers.models import Cluster, Outcome, Peer
from wire import WireError

T = TypeVar("T")

# A cluster needs some seconds to carry its users after the entries were written.
VERIFY_FOR = 90.0
VERIFY_EVERY = 2.0
# Clusters that are asked, or pairs that are written, at once.
AT_ONCE = 10
# A worker's task may not last for ever: after this long the next rounds are another's.
ENOUGH = 120.0

# Step states that a pair does not recover from in this attempt.
SETTLED = (JobStep.State.FAILED, JobStep.State.UNDONE)

Pair = dict[str, Any]


def together(what: Callable[[T], Any], things: Iterable[T]) -> list[Any]:
    """Do it for all at once and wait for all, whatever becomes of one of them.

    Raises what the first of them raised, but a wish to wait only if that is all.
    """

    def one(thing: T) -> Any:
        try:
            return what(thing)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(one, thing) for thing in things]
    errors = [error for future in futures if (error := future.exception())]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, Parked))
    return [future.result() for future in futures]


class Setup:
    """One attempt at a set-up job."""

    def __init__(self, run: Run) -> None:
        self.run = run
        ids = run.arguments["clusters"]
        rows = Cluster.objects.filter(pk__in=ids).prefetch_related("nodes")
        self.clusters = list(rows.order_by("name"))
        self.failed: list[str] = []
        # Clusters whose catalogue agreed with the mapping in this attempt.
        self.verified: set[UUID] = set()
        self.began = time.monotonic()
        self.worked = False

    def work(self) -> None:
        try:
            together(self.ready, self.clusters)
            together(self.agents, self.clusters)
            failpoint("mesh:before-entries")
            for pairs in self.run.arguments["rounds"]:
                self.round(pairs)
        except (Ended, WireError) as end:
            self.give_up()
            if self.failed:
                text = " ".join([str(end), *self.failed])
                raise Ended(Job.State.NEEDS_ATTENTION, text) from None
            raise
        self.conclude()

    def ready(self, cluster: Cluster) -> None:
        self.run.do(f"ready:{cluster.pk}", partial(ready, cluster))

    def agents(self, cluster: Cluster) -> None:
        action = partial(start_agents, self.run, cluster)
        self.run.do(f"agents:{cluster.pk}", action)

    def round(self, pairs: list[Pair]) -> None:
        """Write the sides of all pairs, then verify them; one initial sync each."""
        if self.worked and time.monotonic() - self.began > ENOUGH:
            self.run.park(0)
        done = together(self.attempt, pairs)
        failpoint("mesh:before-verify")
        self.verify([pair for pair, good in zip(pairs, done, strict=True) if good])

    def attempt(self, pair: Pair) -> bool:
        """Write a pair; keep its failure from the others."""
        try:
            self.write_pair(pair)
        except WireError as error:
            self.failed.append(error.message)
            return False
        except Ended as end:
            if end.state == Job.State.CANCELLED:
                raise
            self.failed.append(end.message)
            return False
        return True

    def write_pair(self, pair: Pair) -> None:
        if self.settled(pair):
            raise Ended(Job.State.FAILED, "A side could not be set up.")
        try:
            for peer in peers_of(pair):
                self.write_side(peer)
                failpoint("mesh:between-sides")
        except (WireError, Ended):
            self.undo(pair)
            raise

    def write_side(self, peer: Peer) -> None:
        try:
            if not peer.cluster.direct:
                self.run.do(
                    f"{peer.pk}:instruct", lambda step: provisioning.instruction(peer)
                )
            self.run.do(f"{peer.pk}:write", lambda step: self.write(step, peer))
        except (WireError, Ended) as error:
            if getattr(error, "state", None) != Job.State.CANCELLED:
                peer.set_state(Peer.ProvisioningState.FAILED)
            raise

    def write(self, step: Step, peer: Peer) -> str:
        if not peer.cluster.direct:
            said = provisioning.notice(self.run, peer)
        else:
            self.verify_table(peer)
            if "before" not in step.memo:
                provisioning.remember_before(step, peer)
            said = provisioning.write(step, peer)
            provisioning.read_back(peer)
        provisioning.mark_applied(peer)
        return said

    def verify_table(self, peer: Peer) -> None:
        if peer.cluster_id not in self.verified:
            provisioning.verify_table(peer)
            self.verified.add(peer.cluster_id)

    def settled(self, pair: Pair) -> bool:
        """Whether an earlier attempt gave this pair up; finishes its undoing."""
        keys = [f"{pk}:write" for pk in pair["peers"]]
        given_up = self.run.job.steps.filter(key__in=keys, state__in=SETTLED).exists()
        if given_up:
            self.undo(pair)
        return given_up

    def undo(self, pair: Pair) -> None:
        """Delete the entries of this pair that this job was the first to write."""
        failpoint("mesh:before-undo")
        for peer in peers_of(pair):
            row = self.run.job.steps.get(key=f"{peer.pk}:write")
            ours = str(peer.pk) in pair["created"] and row.memo.get("before") is None
            if row.state == JobStep.State.DONE and ours and peer.cluster.direct:
                self.undo_side(peer, row)

    def undo_side(self, peer: Peer, row: JobStep) -> None:
        try:
            said = provisioning.delete(peer)
        except (WireError, Ended) as error:
            self.failed.append(f"{peer} stands alone and could not be undone: {error}")
            return
        row.state, row.detail = JobStep.State.UNDONE, f"Undone. {said}"
        row.save(update_fields=["state", "detail"])
        Peer.objects.filter(pk=peer.pk).update(
            provisioning_state=Peer.ProvisioningState.ABSENT, applied_address=""
        )

    def verify(self, pairs: list[Pair]) -> None:
        """Check all pairs of a round, again and again until each is good, or late."""
        left = self.unverified(pairs)
        if not left:
            return
        self.worked = True
        self.run.remember({key: {} for key in left}, f"Verify {len(left)} peerings")
        deadline = time.monotonic() + VERIFY_FOR
        while True:
            outcomes = check([peer for sides in left.values() for peer in sides])
            good = [key for key in left if is_good(left[key], outcomes)]
            said = "All check marks on both sides, and the users agree."
            self.run.settle(dict.fromkeys(good, (JobStep.State.DONE, said)))
            for key in good:
                del left[key]
            if not left:
                return
            if time.monotonic() > deadline:
                break
            self.run.check()
            time.sleep(VERIFY_EVERY)
        wrong = {key: what_is_wrong(sides) for key, sides in left.items()}
        self.failed += wrong.values()
        failed = JobStep.State.FAILED
        self.run.settle({key: (failed, text) for key, text in wrong.items()})

    def unverified(self, pairs: list[Pair]) -> dict[str, list[Peer]]:
        """The sides of each pair that is not verified yet, by its step."""
        steps = self.run.steps()
        found = {}
        for pair in pairs:
            step = steps[f"verify:{pair['key']}"]
            if step.state == JobStep.State.FAILED:  # before the worker was given back
                self.failed.append(step.detail)
            elif step.state != JobStep.State.DONE:
                found[step.key] = sides_of(pair)
        return found

    def conclude(self) -> None:
        self.run.do("troubleshoot", self.troubleshoot)
        if not self.failed:
            return
        steps = self.run.job.steps
        undone = steps.filter(state=JobStep.State.UNDONE).exists()
        standing = steps.filter(key__endswith=":write", state=JobStep.State.DONE)
        if undone and not standing.exists():
            raise Ended(Job.State.ROLLED_BACK, " ".join(self.failed))
        raise Ended(Job.State.NEEDS_ATTENTION, " ".join(self.failed))

    @transaction.atomic
    def troubleshoot(self, step: Step) -> str:
        """Look at the clusters as a whole once more; nobody waits for it."""
        asker = Actor(self.run.job.requested_by, self.run.job.requested_from)
        found = submit_run(self.clusters, asker, reason="After setting up peerings")
        url = reverse("diagnostics:run", args=[found.pk])
        step.remember(url=url, link="Open the run")
        return "A run over these clusters has begun."

    def give_up(self) -> None:
        """Let no row look as if it would still be written."""
        ids = [
            pk
            for pairs in self.run.arguments["rounds"]
            for p in pairs
            for pk in p["peers"]
        ]
        pending = Peer.objects.filter(
            pk__in=ids, provisioning_state=Peer.ProvisioningState.PENDING
        )
        pending.update(provisioning_state=Peer.ProvisioningState.ABSENT)


def is_good(sides: list[Peer], outcomes: dict[str, str]) -> bool:
    return bool(sides) and all(
        outcomes.get(str(peer.pk)) == Outcome.PASSED for peer in sides
    )


def sides_of(pair: Pair) -> list[Peer]:
    """Both sides of a pair, also one that this job did not have to write."""
    one, other = map(UUID, pair["key"].split(":"))
    there = Q(cluster=one, remote_cluster=other)
    back = Q(cluster=other, remote_cluster=one)
    return list(Peer.objects.filter(there | back))


def peers_of(pair: Pair) -> list[Peer]:
    rows = Peer.objects.filter(pk__in=pair["peers"]).select_related("cluster")
    return sorted(rows, key=lambda peer: pair["peers"].index(str(peer.pk)))


def what_is_wrong(sides: list[Peer]) -> str:
    """Name what is still wrong, from the last check."""
    rows = Peer.objects.filter(pk__in=[peer.pk for peer in sides])
    problems = [
        f"{peer}: {entry['problem'] or entry['label']}"
        for peer in rows.select_related("cluster")
        for entry in peer.entries
        if entry["outcome"] != "passed"
    ]
    return "Written, but not verified in time. " + " ".join(problems[:5])
