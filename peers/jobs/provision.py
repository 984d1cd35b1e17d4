"""Set up a peer: bring the entry that an administrator wants to its cluster.

Direct: the entry is written through AXL on the publisher, in a table that the cluster's
own catalogue confirms. Pages: the product's own pages are filled in, as the guide says.
Guided: the administrator does it, and the console notices the result. Either way an
interrupted step is read back before anything is done again.
"""

from collections.abc import Iterable
from typing import ClassVar

from accounts.audit import Actor
from accounts.roles import Role
from clusters.models import Cluster
from jobs.kind import JobKind, JobRequest, StepKind
from jobs.models import Job
from peers import observation, provisioning
from peers.locks import lock_of
from peers.models import Peer
from peers.provisioning import save_before
from peers.signals import peer_applied

REMAINS = (
    "The console no longer waits for {peer}. What was entered on the cluster remains "
    "there: if the entry was saved, choose Entered on the cluster on the peer's page."
)


class ProvisionPeer(JobKind):
    name = "provision-peer"
    label = "Set up peer"
    role = Role.ADMINISTRATOR
    audited = True
    withdrawn = True

    catalogue = StepKind("Compare the peer table of {cluster} with its catalogue")
    before = StepKind("Read the entry on {cluster} as it is now")
    write = StepKind("Write the entry on the publisher of {cluster}")
    read_back = StepKind("Read the entry back")
    instruct = StepKind("Configure the peer on the publisher of {cluster}")
    notice = StepKind("Wait until {cluster} shows the peer")

    ways: ClassVar[dict[str, tuple[StepKind, ...]]] = {
        "direct": (catalogue, before, write, read_back),
        "pages": (before, write, read_back),
        "guided": (instruct, notice),
    }

    @classmethod
    def submit(cls, peers: Iterable[Peer], actor: Actor) -> list[Job]:
        """Submit a job for each peer.

        Raises:
            jobs.locks.Busy: a job of one of the peers is not finished.
        """
        requests = [cls.request(peer) for peer in peers]
        return Job.objects.submit_all(requests, user=actor.user, address=actor.address)

    @classmethod
    def request(cls, peer: Peer) -> JobRequest:
        return JobRequest(
            cls.name,
            cls.steps_for(peer.cluster),
            target=peer,
            locks=[lock_of(peer)],
            queue=peer.cluster.queue,
        )

    @classmethod
    def steps_for(cls, cluster: Cluster) -> list[tuple[str, str]]:
        return [
            step.planned(cluster=cluster) for step in cls.ways[cluster.provisioning]
        ]

    def work(self) -> None:
        rows = Peer.objects.select_related("cluster")
        peer = rows.filter(pk=self.job.target_id).first()
        if peer is None:
            self.run.fail("The peer was deleted in the meantime.")
        if peer.cluster.written:
            self.write_entry(peer)
        else:
            self.wait_for_entry(peer)
        peer.mark_applied()
        # It is worth a check now.
        peer_applied.send(sender=Peer, peer=peer)

    def write_entry(self, peer: Peer) -> None:
        if not peer.cluster.by_pages:
            self.run.do(self.catalogue, lambda step: provisioning.verify_table(peer))
        self.run.do(self.before, lambda step: str(save_before(step, peer)))
        self.run.do(self.write, lambda step: provisioning.write_entry(step, peer))
        self.run.do(self.read_back, lambda step: provisioning.read_back(peer))

    def wait_for_entry(self, peer: Peer) -> None:
        text = provisioning.instruction_for(peer)
        self.run.do(
            self.instruct, lambda step: provisioning.instruct_step(step, peer, text)
        )
        self.run.do(
            self.notice, lambda step: observation.notice_peer(self.run, peer, step)
        )

    @classmethod
    def clean_up(cls, job: Job, state: str) -> None:
        """Let no peer wait for a job that is over."""
        peer = Peer.objects.pending().filter(pk=job.target_id).first()
        if peer is None:
            return
        cancelled = state == Job.State.CANCELLED
        if cancelled and not peer.applied_address and not cls.write.has_started(job):
            Peer.objects.filter(pk=peer.pk).mark_absent()
        else:
            Peer.objects.filter(pk=peer.pk).mark_failed()
        if cancelled and not peer.cluster.written and not job.error:
            Job.objects.filter(pk=job.pk).update(error=REMAINS.format(peer=peer))
