"""The line "Presence arrives" beside the twelve entries of a peer's status."""

from dataclasses import dataclass
from datetime import datetime

from jobs.models import Job
from peers.models import Peer
from proof import pairs
from proof.jobs.prove import Prove
from proof.jobs.sample import ProveSample
from proof.models import Proof

LABEL = "Presence arrives."
RECENT = 12
_ADVICE = "Name a canary user on both clusters, so that the console can prove it."


@dataclass(frozen=True)
class ProofLine:
    """What is known of presence between the clusters of a peer."""

    outcome: str
    evidence: str = "none"
    at: datetime | None = None
    detail: str = ""
    problem: str = ""
    solution: str = ""
    provable: bool = False
    job: Job | None = None
    # The last proofs, oldest first.
    recent: tuple[Proof, ...] = ()
    label: str = LABEL


def line_of(peer: Peer) -> ProofLine:
    """Give the line of a peer, from its newest proof."""
    found = pairs.with_canaries(peer.pk) or peer
    try:
        pairs.pair_of(found)
    except pairs.NoCanary as error:
        return ProofLine("information", problem=str(error), solution=_ADVICE)
    job, recent = running_proof(peer), tuple(peer.proofs.all()[:RECENT])
    if not recent:
        return ProofLine("unknown", problem="Not proven yet.", provable=True, job=job)
    proof = recent[0]
    return ProofLine(
        proof.outcome,
        "none" if proof.outcome == Proof.Outcome.UNKNOWN else "probe",
        proof.at,
        detail_of(proof),
        proof.problem,
        proof.solution,
        provable=True,
        job=job,
        recent=recent[::-1],
    )


def detail_of(proof: Proof) -> str:
    way = {"pws": "Presence Web Service", "sip": "SIP", "xmpp": "XMPP"}[proof.way]
    text = f"after {proof.seconds}, by {way}" if proof.seconds else f"by {way}"
    if proof.message_seconds:
        text += f"; a message came back after {proof.message_seconds}"
    if proof.rewritten_to:
        text += f"; the request URI was rewritten to {proof.rewritten_to}"
    return text


def running_proof(peer: Peer) -> Job | None:
    """The unfinished job that proves a peer, if there is one."""
    jobs = Job.objects.active().filter(kind__in=(Prove.name, ProveSample.name))
    pk = str(peer.pk)
    return next((job for job in jobs if pk in job.arguments.get("peers", ())), None)
