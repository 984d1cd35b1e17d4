"""Force Manual Sync on the product's own peer page."""

from accounts import audit
from accounts.audit import Actor
from accounts.roles import Role
from clusters import page_visits
from jobs.failpoints import failpoint
from jobs.kind import JobKind, StepKind
from jobs.models import Job
from jobs.run import Ended, Step
from pages import synchronise_now
from peers.locks import lock_of
from peers.models import Peer
from wire import WireError

UNSEEN = (
    "The worker ended while the sync was being started. Look at Intercluster Peer "
    "Status, and start the sync again if it has not run."
)


class NotByPages(Exception):
    """Only the product's own pages can force a sync, and this cluster is not set so."""


class ManualSync(JobKind):
    name = "manual-sync"
    label = "Force Manual Sync"
    role = Role.OPERATOR
    audited = True

    sync = StepKind("Force Manual Sync on the pages of {cluster}")

    @classmethod
    def submit(cls, peer: Peer, actor: Actor, *, certificates: bool) -> Job:
        """Submit the sync of a peer.

        Args:
            certificates: whether the Tomcat certificates of the peer are synced again.

        Raises:
            NotByPages: the cluster is not provisioned through its own pages.
            jobs.locks.Busy: another job works on the peer.
        """
        if not peer.cluster.by_pages:
            raise NotByPages(
                f"{peer.cluster} is not provisioned through its own pages."
            )
        detail = {"certificates": [None, "resync" if certificates else "keep"]}
        audit.append_entry(actor, "force manual sync", peer, detail)
        return Job.objects.submit(
            cls,
            [cls.sync.planned(cluster=peer.cluster)],
            target=peer,
            arguments={"certificates": certificates},
            locks=[lock_of(peer)],
            user=actor.user,
            address=actor.address,
            queue=peer.cluster.queue,
        )

    def work(self) -> None:
        rows = Peer.objects.select_related("cluster")
        peer = rows.filter(pk=self.job.target_id).first()
        if peer is None:
            self.run.fail("The peer was deleted in the meantime.")
        self.run.do(self.sync, lambda step: self.start(step, peer))

    def start(self, step: Step, peer: Peer) -> str:
        """Start the sync once: an attempt that vanished may have started it."""
        if step.memo.get("sent"):
            raise Ended(Job.State.NEEDS_ATTENTION, UNSEEN, "page_unseen")
        certificates = self.run.arguments["certificates"]
        address = peer.applied_address or peer.address
        step.save_memo(sent=True)
        try:
            page_visits.visit_cluster(
                peer.cluster,
                lambda pages: synchronise_now(
                    pages, address, certificates=certificates
                ),
            )
        except WireError as error:
            step.save_memo(sent=None)
            if not error.outcome_unknown:
                raise
            sentence = f"{error.message} {UNSEEN}"
            raise Ended(Job.State.NEEDS_ATTENTION, sentence) from error
        failpoint("sync:after-write")
        also = " with the Tomcat certificates of the peer" if certificates else ""
        return f"The sync was started{also}. Its status follows in a minute."
