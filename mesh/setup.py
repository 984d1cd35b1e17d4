"""Setting up peerings: both sides of a pair are one operation.

What goes wrong with a cluster or a pair is kept from the others. A cluster is in one
pair at a time, so that it has one initial sync; a pair begins as soon as both of its
clusters are free. A side that is made by hand holds nobody back.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.urls import reverse

from accounts.audit import Actor
from diagnostics.troubleshoot import submit_run
from jobs.failpoints import failpoint
from jobs.locks import Busy, JobLock
from jobs.models import Job, JobStep
from jobs.run import Action, Ended, Parked, Run, Step
from mesh.entries import Entries
from mesh.pairs import Pair, pairs_of
from mesh.readiness import ready, start_agents
from mesh.results import results, summary
from mesh.verification import Verification
from peers import changes, looking
from peers.models import Cluster, Peer
from wire import WireError

T = TypeVar("T")
State = JobStep.State

# Clusters that are asked, or pairs that are written, at once.
AT_ONCE = 10
# A worker's task may not last for ever: after this long the next pairs are another's.
ENOUGH = 120.0

WRITTEN, GIVEN_UP, BY_HAND = "written", "given up", "by hand"


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
        self.pairs = pairs_of(run.job)
        # Why a cluster is left out, in this attempt or an earlier one.
        self.unready: dict[UUID, str] = {}
        self.entries = Entries(run)
        self.verification = Verification(run)
        self.began = time.monotonic()
        self.worked = False

    def work(self) -> None:
        try:
            self.run.do("results", self.offer_results)
            self.prepare()
            failpoint("mesh:before-entries")
            self.go_through()
        except Ended as end:  # cancelled; whatever else goes wrong is a pair's own
            self.give_up()
            if alone := standing_alone(self.run.job):
                text = " ".join([end.message, *alone])
                raise Ended(Job.State.NEEDS_ATTENTION, text) from None
            raise
        self.conclude()

    def offer_results(self, step: Step) -> str:
        url = reverse("mesh:results", args=[self.run.job.pk])
        step.remember(url=url, link="Results by peering")
        return f"{len(self.pairs)} in all."

    def prepare(self) -> None:
        """See which clusters are ready, and start their agents."""
        steps = self.run.steps()
        together(partial(self.look_at, steps), self.clusters)
        ready_ones = [c for c in self.clusters if c.pk not in self.unready]
        together(partial(self.start, steps), ready_ones)
        skipped: dict[str, tuple[str, str]] = {
            f"agents:{pk}": (State.SKIPPED, "The cluster is not ready.")
            for pk in self.unready
            if steps[f"agents:{pk}"].state == State.PENDING
        }
        if skipped:
            self.run.settle(skipped)

    def look_at(self, steps: dict[str, JobStep], cluster: Cluster) -> None:
        self.attend(steps[f"ready:{cluster.pk}"], cluster, partial(ready, cluster))

    def start(self, steps: dict[str, JobStep], cluster: Cluster) -> None:
        action = partial(start_agents, self.run, cluster)
        self.attend(steps[f"agents:{cluster.pk}"], cluster, action)

    def attend(self, row: JobStep, cluster: Cluster, action: Action) -> None:
        """Do a step of a cluster; its failure leaves only this cluster out."""
        if row.state in (State.FAILED, State.UNKNOWN):  # in an earlier attempt
            self.unready[cluster.pk] = f"{cluster} is not ready: {row.detail}"
            return
        try:
            self.run.do(row.key, action)
        except WireError as error:
            said = f"{error.message} {error.remedy}".strip()
        except Ended as end:
            if end.state == Job.State.CANCELLED:
                raise
            said = end.message
        else:
            return
        self.unready[cluster.pk] = f"{cluster} is not ready: {said}"

    def go_through(self) -> None:
        """Write and verify the pairs; come again for what is made by hand."""
        todo = self.unfinished()
        by_hand: list[Pair] = []
        while todo or self.verification.open:
            picked = self.startable(todo)
            todo = [pair for pair in todo if pair not in picked]
            became = together(self.attempt, picked)
            done = dict(zip((pair.key for pair in picked), became, strict=True))
            by_hand += [pair for pair in picked if done[pair.key] == BY_HAND]
            failpoint("mesh:before-verify")
            written = [pair for pair in picked if done[pair.key] == WRITTEN]
            self.verification.begin(written)
            if self.verification.open:
                self.verification.look(last=not todo or self.enough)
            elif not picked:
                self.run.park(0)
        if by_hand:
            self.wait_for_hands(by_hand)

    def unfinished(self) -> list[Pair]:
        steps = self.run.steps()
        over = (State.DONE, State.FAILED, State.SKIPPED)
        return [pair for pair in self.pairs if steps[pair.verify].state not in over]

    @property
    def enough(self) -> bool:
        """Whether what is left is for the next attempt."""
        return self.worked and time.monotonic() - self.began > ENOUGH

    def startable(self, todo: list[Pair]) -> list[Pair]:
        """The next pairs, none with a cluster that has an initial sync already."""
        if self.enough:
            return []
        self.worked = True
        busy = self.verification.busy
        picked = []
        for pair in todo:
            if busy.isdisjoint(pair.clusters):
                picked.append(pair)
                busy.update(pair.clusters)
        return picked

    def attempt(self, pair: Pair) -> str:
        """Write a pair; keep its failure from the others."""
        said = next((self.unready[c] for c in pair.clusters if c in self.unready), "")
        try:
            if not said:
                self.entries.write(pair)
                return WRITTEN
        except (Parked, Busy):
            return BY_HAND
        except WireError as error:
            said = error.message
        except Ended as end:
            if end.state == Job.State.CANCELLED:
                raise
            said = end.message
        self.leave_out(pair, said)
        return GIVEN_UP

    def leave_out(self, pair: Pair, said: str) -> None:
        """Tell with each step of the pair that is not done why it never will be."""
        steps = self.run.job.steps.filter(state=State.PENDING)
        keys = [pair.verify, *pair.writes, *pair.instructs]
        rows = steps.filter(key__in=keys).values_list("key", flat=True)
        self.run.settle(dict.fromkeys(rows, (State.SKIPPED, said)))
        give_up(pair)

    def wait_for_hands(self, pairs: list[Pair]) -> None:
        """Come again later, and keep nobody from the clusters until then."""
        kept = {changes.lock_of(peer) for pair in pairs for peer in pair.written()}
        JobLock.objects.filter(job=self.run.job).exclude(name__in=kept).delete()
        many = "" if len(pairs) == 1 else "s"
        doing = f"{len(pairs)} peering{many} to finish by hand, as the steps tell"
        Job.objects.filter(pk=self.run.job.pk).update(doing=doing)
        self.run.park(looking.EVERY)

    def conclude(self) -> None:
        self.run.do("troubleshoot", self.troubleshoot)
        found = results(self.run.job)
        if all(result.state == "verified" for result in found):
            return
        end = Job.State.NEEDS_ATTENTION
        if not any(result.stands for result in found):
            undone = any(result.state == "undone" for result in found)
            end = Job.State.ROLLED_BACK if undone else Job.State.FAILED
        raise Ended(end, summary(found))

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
        for pair in self.pairs:
            give_up(pair)


def give_up(pair: Pair) -> None:
    state = Peer.ProvisioningState
    pending = Peer.objects.filter(pk__in=pair.peers, provisioning_state=state.PENDING)
    pending.filter(pk__in=pair.created).update(provisioning_state=state.ABSENT)
    pending.update(provisioning_state=state.FAILED)


def standing_alone(job: Job) -> list[str]:
    memos = job.steps.filter(key__endswith=":write").values_list("memo", flat=True)
    return [memo["alone"] for memo in memos if memo.get("alone")]
