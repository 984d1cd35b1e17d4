"""Set up peerings: both entries of a pair are one operation.

What goes wrong with a cluster or a pair is kept from the others. A cluster is in one
pair at a time, so that it has one initial sync; a pair begins as soon as both of its
clusters are free. An entry that is made manually holds nobody back.
"""

import time
from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from django.db import transaction
from django.urls import reverse

from accounts.audit import Actor
from accounts.roles import Role
from clusters.locks import mesh_lock_of
from clusters.models import Cluster
from clusters.requests import go_near, is_near, queue_for, unreached
from diagnostics.jobs.troubleshoot import Troubleshoot
from jobs.failpoints import failpoint
from jobs.kind import JobKind, StepKind
from jobs.locks import Busy, JobLock
from jobs.models import Job, JobStep
from jobs.run import Action, Ended, Parked, Run, Step
from mesh import planned
from mesh.entries import BETWEEN_SITES, Entries, PairElsewhere, asker_of, mark_one_sided
from mesh.entry_changes import MeshPlan
from mesh.pairs import (
    Pair,
    PairSteps,
    PlannedEntries,
    label_of,
    pair_arguments,
    pair_steps,
    pairs_of,
    target_of,
)
from mesh.readiness import check_ready, start_agents
from mesh.results import job_summary, results_of
from mesh.scheduling import schedule_rounds
from mesh.together import run_together
from mesh.verification import Verification
from peers import observation
from peers.locks import lock_of
from peers.models import Peer
from wire import WireError

State = JobStep.State

# A worker's task may not last for ever: after this long the next pairs are another's.
ENOUGH = 120.0

NOT_READY = "not_ready"
WRITTEN, GIVEN_UP, BY_HAND = "written", "given up", "by hand"
AWAY = "away"


class SetUpPeerings(JobKind):
    """A job for the pairs of a plan; a pair that fails leaves the others alone."""

    name = "set-up-peerings"
    label = "Set up peering"
    role = Role.ADMINISTRATOR
    audited = True

    results = StepKind("List the peerings")
    ready = StepKind("Check that {cluster} is ready for peers")
    agents = StepKind("Start the Intercluster Sync Agent on every node of {cluster}")
    troubleshoot = StepKind("Run the System Troubleshooter over these clusters")

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        ids = run.arguments["clusters"]
        rows = Cluster.objects.filter(pk__in=ids).prefetch_related("nodes")
        self.clusters = list(rows.order_by("name"))
        self.pairs = pairs_of(run.job)
        # Why a cluster is left out, in this attempt or an earlier one.
        self.unready: dict[UUID, str] = {}
        self.entries = Entries(run)
        # By its key, near which cluster a pair goes on.
        self.away: dict[str, Cluster] = {}
        self.verification = Verification(run)
        self.began = time.monotonic()
        self.worked = False

    @classmethod
    def submit(cls, current: MeshPlan, entries: PlannedEntries, actor: Actor) -> Job:
        """Submit the job; pairs in the order of rounds, so that many go at once.

        Raises:
            jobs.locks.Busy: an unfinished job works on one of the clusters.
        """
        touched = [
            (one, other)
            for one, other in current.intent.pairs
            if not entries
            or (one.pk, other.pk) in entries
            or (other.pk, one.pk) in entries
        ]
        credentials = current.intent.credentials
        named = {c for c in current.intent.clusters if c.pk in credentials}
        ends = {cluster for pair in touched for cluster in pair}
        clusters = sorted(ends | named, key=lambda c: c.name)
        order = schedule_rounds(touched)
        return Job.objects.submit(
            cls,
            cls.steps_for(clusters, order, entries),
            target=target_of(entries) if len(touched) == 1 else None,
            label=label_of(touched, clusters),
            clusters=[c.pk for c in clusters],
            arguments={
                "clusters": [str(c.pk) for c in clusters],
                "rounds": [
                    [pair_arguments(pair, entries, current) for pair in pairs]
                    for pairs in order
                ],
            },
            locks=[
                *[mesh_lock_of(c.pk) for c in clusters],
                *[lock_of(entry.peer) for entry in entries.values()],
            ],
            user=actor.user,
            address=actor.address,
            queue=queue_for(clusters),
        )

    @classmethod
    def steps_for(
        cls,
        clusters: Sequence[Cluster],
        order: Iterable[Iterable[tuple[Cluster, Cluster]]],
        entries: PlannedEntries,
    ) -> list[tuple[str, str]]:
        return [
            cls.results.planned(),
            *[cls.ready.of(c.pk).planned(cluster=c) for c in clusters],
            *[cls.agents.of(c.pk).planned(cluster=c) for c in clusters],
            *[
                step
                for pairs in order
                for pair in pairs
                for step in pair_steps(pair, entries)
            ],
            cls.troubleshoot.planned(),
        ]

    @classmethod
    def clean_up(cls, job: Job, state: str) -> None:
        """Let no row look as if it would still be written."""
        for pair in pairs_of(job):
            give_up(job, pair)
        if state == Job.State.CANCELLED:
            say_one_sided(job)

    def work(self) -> None:
        try:
            self.run.do(self.results, self.offer_results)
            self.prepare()
            failpoint("mesh:before-entries")
            self.go_through()
        except Ended as end:  # cancelled; whatever else goes wrong is a pair's own
            if alone := one_sided_entries(self.run.job):
                text = " ".join([end.message, *alone])
                raise Ended(Job.State.NEEDS_ATTENTION, text, end.code) from None
            raise
        self.conclude()

    def offer_results(self, step: Step) -> str:
        url = reverse("mesh:results", args=[self.run.job.pk])
        step.save_memo(url=url, link="Results by peering")
        return f"{len(self.pairs)} in all."

    def prepare(self) -> None:
        """See which clusters are ready, and start their agents; those of each site by
        its workers."""
        steps = self.run.steps()
        far = [c for c in self.clusters if not self.is_prepared(c, steps)]
        here = [c for c in self.clusters if c not in far]
        run_together(partial(self.observe_cluster, steps), here)
        self.leave_unreached(far)
        ready_ones = [c for c in here if c.pk not in self.unready]
        run_together(partial(self.start, steps), ready_ones)
        skipped: dict[str, tuple[str, str]] = {
            self.agents.of(pk).key: (State.SKIPPED, "The cluster is not ready.")
            for pk in self.unready
            if steps[self.agents.of(pk).key].state == State.PENDING
        }
        if skipped:
            self.run.end_steps(skipped)
        for cluster in far:
            if cluster.pk not in self.unready:
                go_near(self.run, cluster)

    def is_prepared(self, cluster: Cluster, steps: dict[str, JobStep]) -> bool:
        """Whether the cluster is prepared here, or was by the workers of its site."""
        kinds = (self.ready, self.agents)
        states = {steps[kind.of(cluster.pk).key].state for kind in kinds}
        return is_near(cluster) or states.isdisjoint((State.PENDING, State.RUNNING))

    def leave_unreached(self, clusters: Sequence[Cluster]) -> None:
        """Leave the clusters out that no running worker reaches."""
        reasons = {c: reason for c in clusters if (reason := unreached(c))}
        self.run.end_steps(
            {
                self.ready.of(cluster.pk).key: (State.FAILED, reason)
                for cluster, reason in reasons.items()
            }
        )
        for cluster, reason in reasons.items():
            self.unready[cluster.pk] = f"{cluster} is not ready: {reason}"

    def observe_cluster(self, steps: dict[str, JobStep], cluster: Cluster) -> None:
        action = partial(self.make_ready, cluster)
        self.attend(steps[self.ready.of(cluster.pk).key], cluster, action)

    def make_ready(self, cluster: Cluster, step: Step) -> str:
        """Check a cluster, and the password that its intercluster user is to have."""
        sentence = check_ready(cluster, step)
        row = planned.password_of(self.run.job, cluster.pk)
        if row is None:
            return sentence
        user = row.username, row.unseal("password")
        self.entries.sign_ins.try_user(cluster, user, "with which its peers")
        failpoint("mesh:before-password")
        planned.accept_password(row, asker_of(self.run.job))
        return f"{sentence} The password of {row.username} is accepted."

    def start(self, steps: dict[str, JobStep], cluster: Cluster) -> None:
        action = partial(start_agents, self.run, cluster)
        self.attend(steps[self.agents.of(cluster.pk).key], cluster, action)

    def attend(self, row: JobStep, cluster: Cluster, action: Action) -> None:
        """Do a step of a cluster; its failure leaves only this cluster out."""
        if row.state in (State.FAILED, State.UNKNOWN):  # in an earlier attempt
            self.unready[cluster.pk] = f"{cluster} is not ready: {row.detail}"
            return
        try:
            self.run.do(row.key, action)
        except WireError as error:
            sentence = f"{error.message} {error.remedy}".strip()
        except Ended as end:
            if end.state == Job.State.CANCELLED:
                raise
            sentence = end.message
        else:
            return
        self.unready[cluster.pk] = f"{cluster} is not ready: {sentence}"

    def go_through(self) -> None:
        """Write and verify the pairs; come again for what is made by hand."""
        todo = self.unfinished()
        by_hand: list[Pair] = []
        while todo or self.verification.open:
            picked = self.startable(todo)
            todo = [pair for pair in todo if pair not in picked]
            became = run_together(self.attempt, picked)
            done = dict(zip((pair.key for pair in picked), became, strict=True))
            by_hand += [pair for pair in picked if done[pair.key] == BY_HAND]
            failpoint("mesh:before-verify")
            written = [pair for pair in picked if done[pair.key] == WRITTEN]
            self.verification.begin(written)
            if self.verification.open:
                self.verification.check_pairs(last=not todo or self.enough)
            elif not picked:
                self.follow_away(by_hand)
                self.run.park(0)
        self.follow_away(by_hand)
        if by_hand:
            self.wait_for_hands(by_hand)

    def follow_away(self, by_hand: list[Pair]) -> None:
        """Go where a pair goes on; not at once where a person is waited for as well."""
        seconds = observation.EVERY if by_hand else 0
        for cluster in self.away.values():
            go_near(self.run, cluster, seconds)

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
        half_done = {pk for p in self.pairs if p.key in self.away for pk in p.clusters}
        busy = self.verification.busy | half_done
        picked = []
        for pair in todo:
            if busy.isdisjoint(pair.clusters):
                picked.append(pair)
                busy.update(pair.clusters)
        return picked

    def attempt(self, pair: Pair) -> str:
        """Write a pair; keep its failure from the others."""
        reason = next((self.unready[c] for c in pair.clusters if c in self.unready), "")
        code = NOT_READY if reason else ""
        try:
            if not reason:
                self.entries.write(pair)
                return WRITTEN
        except (Parked, Busy):
            return BY_HAND
        except PairElsewhere as elsewhere:
            self.away[pair.key] = elsewhere.cluster
            return AWAY
        except WireError as error:
            reason, code = error.message, error.code.value
        except Ended as end:
            if end.state == Job.State.CANCELLED:
                raise
            reason, code = end.message, end.code
        self.leave_out(pair, reason, code)
        return GIVEN_UP

    def leave_out(self, pair: Pair, reason: str, code: str) -> None:
        """Say with each step of the pair that is not done why it never will be."""
        steps = self.run.job.steps.filter(state=State.PENDING)
        keys = [pair.verify, *pair.writes, *pair.instructs, *pair.sign_ins]
        rows = steps.filter(key__in=keys).values_list("key", flat=True)
        self.run.end_steps(dict.fromkeys(rows, (State.SKIPPED, reason)))
        verify = self.run.job.steps.filter(key=pair.verify)
        verify.update(memo={"code": code})
        give_up(self.run.job, pair)

    def wait_for_hands(self, pairs: list[Pair]) -> None:
        """Come again later, and keep nobody from the clusters until then."""
        still_locked = {lock_of(pk) for pair in pairs for pk in pair.peers}
        JobLock.objects.filter(job=self.run.job).exclude(name__in=still_locked).delete()
        many = "" if len(pairs) == 1 else "s"
        doing = f"{len(pairs)} peering{many} to finish manually, as the steps show"
        Job.objects.filter(pk=self.run.job.pk).update(doing=doing)
        self.run.park(observation.EVERY)

    def conclude(self) -> None:
        self.run.do(self.troubleshoot, self.submit_run)
        found = results_of(self.run.job)
        if all(result.state == "verified" for result in found):
            return
        end = Job.State.NEEDS_ATTENTION
        if not any(result.is_up_to_date for result in found):
            undone = any(result.state == "undone" for result in found)
            end = Job.State.ROLLED_BACK if undone else Job.State.FAILED
        raise Ended(end, job_summary(found))

    @transaction.atomic
    def submit_run(self, step: Step) -> str:
        """Look at the clusters as a whole once more; nobody waits for it."""
        found = Troubleshoot.submit(
            self.clusters,
            asker_of(self.run.job),
            reason="After setting up peerings",
        )
        url = reverse("diagnostics:run", args=[found.pk])
        step.save_memo(url=url, link="Open the run")
        return "A run over these clusters has started."


def give_up(job: Job, pair: Pair) -> None:
    """Let no peer wait any more; what the job did not begin to write is as it was."""
    pending = Peer.objects.filter(pk__in=pair.peers).pending()
    pending.filter(pk__in=pair.created).mark_absent()
    pending.mark_failed()


def say_one_sided(job: Job) -> None:
    """Say which entries stand alone when a job is cancelled between two sites."""
    steps = {step.key: step for step in job.steps.all()}
    for pair in pairs_of(job):
        writes = {pk: steps[PairSteps.write.of(pk).key] for pk in pair.peers}
        done = {pk for pk, row in writes.items() if row.state == State.DONE}
        made = done & pair.created
        if made and done != set(writes):
            for peer in Peer.objects.filter(pk__in=made).select_related("cluster"):
                row = writes[str(peer.pk)]
                if peer.cluster.written and not row.memo.get("alone"):
                    mark_one_sided(
                        row, f"{peer} has no matching entry: {BETWEEN_SITES}"
                    )
    if alone := one_sided_entries(job):
        state, error = Job.State.NEEDS_ATTENTION, " ".join(alone)[:1000]
        cancelled = Job.objects.filter(pk=job.pk, state=Job.State.CANCELLED)
        cancelled.update(state=state, error=error)


def one_sided_entries(job: Job) -> list[str]:
    memos = job.steps.filter(key__endswith=f":{PairSteps.write.key}").values_list(
        "memo", flat=True
    )
    return [memo["alone"] for memo in memos if memo.get("alone")]
