"""Remove peers: delete their entries from their clusters, then their rows."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from accounts.audit import Actor
from accounts.roles import Role
from clusters.requests import go_near
from jobs.kind import JobKind, StepKind
from jobs.models import Job
from jobs.run import Step
from peers import observation, provisioning
from peers.locks import lock_of
from peers.models import Peer


class RemovePeer(JobKind):
    """A job for one peer, or for both entries of a peering."""

    name = "remove-peer"
    label = "Remove peer"
    role = Role.ADMINISTRATOR
    audited = True
    withdrawn = True

    catalogue = StepKind("Compare the peer table of {cluster} with its catalogue")
    write = StepKind("Delete the entry on the publisher of {cluster}")
    instruct = StepKind("Delete the peer on the publisher of {cluster}")
    notice = StepKind("Wait until {cluster} no longer shows the peer")
    forget = StepKind("Delete the peer from the console")

    ways: ClassVar[dict[str, tuple[StepKind, ...]]] = {
        "direct": (catalogue, write, forget),
        "pages": (write, forget),
        "guided": (instruct, notice, forget),
    }

    @classmethod
    def submit(cls, peers: Sequence[Peer], actor: Actor) -> Job:
        """Submit the removal of these peers, the first of which it is about.

        Raises:
            jobs.locks.Busy: a job of one of the peers is not finished.
        """
        first = peers[0]
        return Job.objects.submit(
            cls,
            [step for peer in peers for step in cls.steps_for(peer)],
            target=first,
            arguments={"peers": [str(peer.pk) for peer in peers]},
            clusters={peer.cluster_id for peer in peers},
            locks=[lock_of(peer) for peer in peers],
            user=actor.user,
            address=actor.address,
            queue=first.cluster.queue,
        )

    @classmethod
    def steps_for(cls, peer: Peer) -> list[tuple[str, str]]:
        steps = cls.ways[peer.cluster.provisioning]
        return [step.of(peer.pk).planned(cluster=peer.cluster) for step in steps]

    def work(self) -> None:
        for pk in self.run.arguments["peers"]:
            peer = Peer.objects.select_related("cluster").filter(pk=pk).first()
            if peer is None:
                continue  # an earlier attempt finished it
            go_near(self.run, peer.cluster)
            if peer.cluster.written:
                self.delete_entry(peer)
            else:
                self.wait_for_deletion(peer)
            self.run.do(self.forget.of(pk), partial(drop_peer, peer))

    def delete_entry(self, peer: Peer) -> None:
        pk = peer.pk
        if not peer.cluster.by_pages:
            self.run.do(
                self.catalogue.of(pk), lambda step: provisioning.verify_table(peer)
            )
        self.run.do(self.write.of(pk), lambda step: provisioning.delete_entry(peer))

    def wait_for_deletion(self, peer: Peer) -> None:
        text = provisioning.removal_instruction(peer)
        self.run.do(
            self.instruct.of(peer.pk),
            lambda step: provisioning.instruct_step(step, peer, text),
        )
        self.run.do(
            self.notice.of(peer.pk),
            lambda step: observation.notice_removal(self.run, peer, step),
        )

    @classmethod
    def clean_up(cls, job: Job, state: str) -> None:
        """Keep the peers that could not be removed."""
        Peer.objects.filter(pk__in=job.arguments["peers"]).mark_kept()


def drop_peer(peer: Peer, step: Step) -> str:
    return provisioning.drop_row(peer)
