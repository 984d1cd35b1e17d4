"""Writing both entries of a pair, and taking back what stands alone.

A pair whose second entry fails is undone as far as this job made it; an update is never
undone, since the password that stood before is not known. What stays half done is said.
"""

from functools import partial
from uuid import UUID

from accounts.audit import Actor
from clusters.locks import mesh_lock_of
from clusters.models import Cluster
from clusters.requests import is_near, unreached
from jobs.failpoints import failpoint
from jobs.kind import StepKind
from jobs.locks import JobLock, take_locks
from jobs.models import Job, JobStep
from jobs.run import Ended, Run, Step
from mesh import planned
from mesh.models import PlannedEntry
from mesh.pairs import Pair, PairSteps
from mesh.reachability import SignIns
from peers import observation, provisioning
from peers.models import Peer
from wire import WireError

State = JobStep.State
BETWEEN_SITES = "the job was cancelled while the workers of another site had it."
# Step states that a pair does not recover from in this attempt.
SETTLED = (State.FAILED, State.UNKNOWN, State.UNDONE)


class PairElsewhere(Exception):
    """What is next of a pair is for the workers near this cluster."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(f"{cluster} is of another site.")
        self.cluster = cluster


class Entries:
    """The entries of one attempt at a set-up job."""

    def __init__(self, run: Run) -> None:
        self.run = run
        # Clusters whose catalogue agreed with the mapping in this attempt.
        self.verified: set[UUID] = set()
        self.sign_ins = SignIns()

    def write(self, pair: Pair) -> None:
        """Write the entries of a pair that need it, or leave the pair as it was.

        Raises:
            WireError, Ended: an entry could not be written, or the job was cancelled.
            Parked: somebody has yet to make an entry manually.
            Busy: in the meantime another job works on one of the clusters.
            PairElsewhere: the pair goes on at another site.
        """
        if reason := self.given_up(pair):
            raise Ended(Job.State.FAILED, reason)
        try:
            entries = planned.entries_of(self.run.job, pair.peers)
            if not self.has_started(pair):
                self.try_users(entries)
            # What can be done here comes before what can not.
            for entry in sorted(entries, key=order_here):
                if self.is_over(PairSteps.write, entry):
                    continue
                self.reach(entry.home)
                if entry.home.written:
                    self.hold(pair)
                self.write_planned(entry)
                failpoint("mesh:between-entries")
        except (WireError, Ended) as error:
            self.undo(pair, travel=not is_cancelled(error))
            raise

    def try_users(self, entries: list[PlannedEntry]) -> None:
        """Sign in as the entries will; at two sites, a step each keeps what is done."""
        if all(is_near(entry.remote) and is_near(entry.home) for entry in entries):
            for entry in entries:
                self.sign_ins.try_out(planned.draft_peer(entry))
            return
        for entry in sorted(entries, key=lambda one: not is_near(one.remote)):
            if self.is_over(PairSteps.sign_in, entry):
                continue
            self.reach(entry.remote)
            kind = PairSteps.sign_in.of(entry.peer)
            _, label = kind.planned(remote=entry.remote, home=entry.home)
            self.run.do(kind, partial(self.try_user, entry), label)

    def try_user(self, entry: PlannedEntry, step: Step) -> str:
        self.sign_ins.try_out(planned.draft_peer(entry))
        return "The user is accepted."

    def is_over(self, kind: StepKind, entry: PlannedEntry) -> bool:
        rows = self.run.job.steps.filter(key=kind.of(entry.peer).key)
        return rows.filter(state=State.DONE).exists()

    def reach(self, cluster: Cluster) -> None:
        """Go on only if the cluster is reached from here.

        Raises:
            PairElsewhere: the workers of its site reach it.
            Ended: nobody does.
        """
        self.run.raise_if_cancelled()
        if reason := unreached(cluster):
            raise Ended(Job.State.FAILED, reason, "site_unserved")
        if not is_near(cluster):
            raise PairElsewhere(cluster)

    def hold(self, pair: Pair) -> None:
        """Have the locks again that were given back while somebody was waited for."""
        names = {mesh_lock_of(pk) for pk in pair.clusters}
        held = JobLock.objects.filter(job=self.run.job, name__in=names)
        if missing := names - set(held.values_list("name", flat=True)):
            take_locks(self.run.job, missing)

    def has_started(self, pair: Pair) -> bool:
        """Whether anything of the pair was done, or told to be done by hand."""
        keys = [*pair.writes, *pair.instructs]
        rows = self.run.job.steps.filter(key__in=keys)
        return rows.exclude(state=State.PENDING).exists()

    def given_up(self, pair: Pair) -> str:
        """Why an earlier attempt gave this pair up; finishes its undoing."""
        rows = self.run.job.steps.filter(key__in=pair.writes, state__in=SETTLED)
        found = rows.order_by("finished_at").first()
        if found is None:
            return ""
        self.undo(pair)
        return found.detail or "An entry could not be set up."

    def write_planned(self, entry: PlannedEntry) -> None:
        key = PairSteps.write.of(entry.peer).key
        try:
            if entry.home.written:
                self.run.do(
                    key, lambda step: self.write_entry(step, self.accept(entry))
                )
            else:
                self.run.do(
                    PairSteps.instruct.of(entry.peer).key,
                    lambda step: instruct_step(step, self.accept(entry)),
                )
                self.run.do(key, lambda step: self.notice(step, self.accept(entry)))
        except (WireError, Ended) as error:
            if entry.accepted_at and not is_cancelled(error):
                Peer.objects.filter(pk=entry.peer).mark_failed()
            raise

    def accept(self, entry: PlannedEntry) -> Peer:
        """Make the entry the desired one; until here the console had what it had."""
        failpoint("mesh:before-accept")
        peer = planned.accept_entry(entry, asker_of(self.run.job))
        failpoint("mesh:accepted")
        return peer

    def write_entry(self, step: Step, peer: Peer) -> str:
        if peer.cluster_id not in self.verified:
            provisioning.verify_table(peer)
            self.verified.add(peer.cluster_id)
        was_started = step.interrupted or step.memo.get("wrote")
        known = was_started and "before" in step.memo
        seen = None if known else provisioning.save_before(step, peer)
        sentence = provisioning.write_entry(step, peer, seen)
        provisioning.read_back(peer)
        peer.mark_applied()
        return sentence

    def notice(self, step: Step, peer: Peer) -> str:
        sentence = observation.notice_peer(self.run, peer, step)
        peer.mark_applied()
        return sentence

    def undo(self, pair: Pair, *, travel: bool = True) -> None:
        """Delete the entries of this pair that this job was the first to write.

        Args:
            travel: go to another site for that.
        """
        failpoint("mesh:before-undo")
        rows = Peer.objects.filter(pk__in=pair.peers)
        for peer in rows.select_related("cluster", "remote_cluster"):
            row = self.run.job.steps.get(key=PairSteps.write.of(peer.pk).key)
            was_written = row.state == State.DONE or bool(row.memo.get("wrote"))
            if not was_written or row.state == State.UNDONE:
                continue
            made = str(peer.pk) in pair.created and row.memo.get("before") is None
            if made and peer.cluster.written:
                self.undo_here(peer, row, travel)
            elif made:
                mark_one_sided(
                    row, f"{peer} has no matching entry; it was entered manually."
                )

    def undo_here(self, peer: Peer, row: JobStep, travel: bool) -> None:
        """Delete an entry where its cluster is reached; else say that it remains."""
        if is_near(peer.cluster):
            undo_entry(peer, row)
            return
        reason = unreached(peer.cluster)
        if travel and not reason:
            raise PairElsewhere(peer.cluster)
        mark_one_sided(row, f"{peer} has no matching entry: {reason or BETWEEN_SITES}")


def order_here(entry: PlannedEntry) -> bool:
    """First those that nobody has to travel for, guided ones before others."""
    return not is_near(entry.home)


def is_cancelled(error: Exception) -> bool:
    return getattr(error, "state", None) == Job.State.CANCELLED


def asker_of(job: Job) -> Actor:
    return Actor(job.requested_by, job.requested_from)


def instruct_step(step: Step, peer: Peer) -> str:
    text = provisioning.instruction_for(peer)
    return provisioning.instruct_step(step, peer, text)


def undo_entry(peer: Peer, row: JobStep) -> None:
    try:
        sentence = provisioning.delete_entry(peer)
    except (WireError, Ended) as error:
        mark_one_sided(
            row, f"{peer} has no matching entry and could not be undone: {error}"
        )
        return
    row.state, row.detail, row.memo = State.UNDONE, f"Undone. {sentence}", {}
    row.save(update_fields=["state", "detail", "memo"])
    Peer.objects.filter(pk=peer.pk).mark_undone()


def mark_one_sided(row: JobStep, sentence: str) -> None:
    """Keep with the step that its entry has no matching one."""
    row.memo = row.memo | {"alone": sentence}
    row.detail = f"{row.detail} {sentence}".strip()[:1000]
    row.save(update_fields=["memo", "detail"])
