"""Writing both entries of a pair, and taking back what stands alone.

A pair whose second side fails is undone as far as this job made it; an update is never
undone, since the password that stood before is not known. What stays half done is said.
"""

from uuid import UUID

from django.utils import timezone

from jobs.failpoints import failpoint
from jobs.locks import JobLock, hold
from jobs.models import Job, JobStep
from jobs.run import Ended, Run, Step
from mesh.pairs import Pair
from mesh.sign_in import SignIns
from peers import looking, provisioning
from peers.models import Peer
from wire import WireError

State = JobStep.State
# Step states that a pair does not recover from in this attempt.
SETTLED = (State.FAILED, State.UNKNOWN, State.UNDONE)


class Entries:
    """The entries of one attempt at a set-up job."""

    def __init__(self, run: Run) -> None:
        self.run = run
        # Clusters whose catalogue agreed with the mapping in this attempt.
        self.verified: set[UUID] = set()
        self.sign_ins = SignIns()

    def write(self, pair: Pair) -> None:
        """Write the sides of a pair that need it, or leave the pair as it was.

        Raises:
            WireError, Ended: a side could not be written, or the job was cancelled.
            Parked: somebody has yet to make a side by hand.
            Busy: in the meantime another job works on one of the clusters.
        """
        if said := self.given_up(pair):
            raise Ended(Job.State.FAILED, said)
        try:
            if not self.begun(pair):
                for peer in pair.written():
                    self.sign_ins.try_out(peer)
            for peer in pair.written():
                if peer.cluster.direct:
                    self.hold(pair)
                self.write_side(peer)
                failpoint("mesh:between-sides")
        except (WireError, Ended):
            self.undo(pair)
            raise

    def hold(self, pair: Pair) -> None:
        """Have the locks again that were given back while somebody was waited for."""
        names = {f"mesh:{pk}" for pk in pair.clusters}
        held = JobLock.objects.filter(job=self.run.job, name__in=names)
        if missing := names - set(held.values_list("name", flat=True)):
            hold(self.run.job, missing)

    def begun(self, pair: Pair) -> bool:
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
        return found.detail or "A side could not be set up."

    def write_side(self, peer: Peer) -> None:
        key = f"{peer.pk}:write"
        try:
            if peer.cluster.direct:
                self.run.do(key, lambda step: self.write_entry(step, peer))
            else:
                self.run.do(f"{peer.pk}:instruct", lambda step: instruct(step, peer))
                self.run.do(key, lambda step: self.notice(step, peer))
        except (WireError, Ended) as error:
            if getattr(error, "state", None) != Job.State.CANCELLED:
                peer.set_state(Peer.ProvisioningState.FAILED)
            raise

    def write_entry(self, step: Step, peer: Peer) -> str:
        if peer.cluster_id not in self.verified:
            provisioning.verify_table(peer)
            self.verified.add(peer.cluster_id)
        begun = step.interrupted or step.memo.get("wrote")
        known = begun and "before" in step.memo
        seen = None if known else provisioning.remember_before(step, peer)
        said = provisioning.write(step, peer, seen)
        provisioning.read_back(peer)
        provisioning.mark_applied(peer)
        return said

    def notice(self, step: Step, peer: Peer) -> str:
        said = looking.notice(self.run, peer, step)
        provisioning.mark_applied(peer)
        return said

    def undo(self, pair: Pair) -> None:
        """Delete the entries of this pair that this job was the first to write."""
        failpoint("mesh:before-undo")
        for peer in pair.written():
            row = self.run.job.steps.get(key=f"{peer.pk}:write")
            stands = row.state == State.DONE or bool(row.memo.get("wrote"))
            if not stands or row.state == State.UNDONE:
                continue
            made = str(peer.pk) in pair.created and row.memo.get("before") is None
            if made and peer.cluster.direct:
                undo_side(peer, row)
            elif made:
                alone(row, f"{peer} stands alone; it was made by hand.")


def instruct(step: Step, peer: Peer) -> str:
    text = provisioning.instruction(peer)
    return provisioning.instruct(step, peer, text)


def undo_side(peer: Peer, row: JobStep) -> None:
    try:
        said = provisioning.delete(peer)
    except (WireError, Ended) as error:
        alone(row, f"{peer} stands alone and could not be undone: {error}")
        return
    row.state, row.detail, row.memo = State.UNDONE, f"Undone. {said}", {}
    row.save(update_fields=["state", "detail", "memo"])
    # What was read of the cluster before this time is no longer true.
    Peer.objects.filter(pk=peer.pk).update(
        provisioning_state=Peer.ProvisioningState.ABSENT,
        applied_address="",
        updated_at=timezone.now(),
    )


def alone(row: JobStep, said: str) -> None:
    """Keep with the step that its entry has no other side."""
    row.memo = row.memo | {"alone": said}
    row.detail = f"{row.detail} {said}".strip()[:1000]
    row.save(update_fields=["memo", "detail"])
