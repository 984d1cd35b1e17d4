"""What became of each pair of a set-up job, told by its steps."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.cluster_limits import limit_admits
from clusters.models import Cluster
from jobs.models import Job, JobStep
from mesh.intent import MeshIntent
from mesh.pairs import Pair, PairSteps, pairs_of
from peers.models import Peer, PeerOutcome

State = JobStep.State
VERIFIED, UNVERIFIED, FAILED = "verified", "unverified", "failed"
UNDONE, LEFT_OUT, BY_HAND, OPEN = "undone", "left-out", "by-hand", "open"

LABELS = {
    VERIFIED: "Verified",
    UNVERIFIED: "Written, not verified",
    FAILED: "Incomplete",
    UNDONE: "Rolled back",
    LEFT_OUT: "Not set up",
    BY_HAND: "Needs action",
    OPEN: "Not started",
}
SEEN = ("cluster_id", "remote_cluster_id", "outcome", "checked_at")
OUTCOMES = {VERIFIED: "passed", BY_HAND: "warning", OPEN: "unknown"}


@dataclass(frozen=True)
class PairResult:
    """One pair: how far it came, and why no further."""

    pair: Pair
    state: str
    sentence: str
    # Why it came no further, where that has a code.
    code: str = ""
    # Entries that somebody has yet to make manually.
    by_hand: tuple[Peer, ...] = ()
    one: Cluster | None = None
    other: Cluster | None = None

    @property
    def label(self) -> str:
        return LABELS[self.state]

    @property
    def outcome(self) -> str:
        return OUTCOMES.get(self.state, "failed")

    @property
    def peers_by_hand(self) -> list[UUID]:
        return [peer.pk for peer in self.by_hand]

    @property
    def is_up_to_date(self) -> bool:
        """Whether something of the pair is on the clusters now."""
        return self.state in (VERIFIED, UNVERIFIED, FAILED)


def results_of(job: Job) -> list[PairResult]:
    """The pairs of a job, with all their steps read once."""
    steps = {step.key: step for step in job.steps.all()}
    clusters = Cluster.objects.in_bulk(job.arguments.get("clusters", ()))
    names = {str(pk): cluster for pk, cluster in clusters.items()}
    pairs = pairs_of(job)
    waiting = {
        pk
        for pair in pairs
        for pk in pair.peers
        if (step := steps.get(PairSteps.write.of(pk).key)) and is_by_hand(step)
    }
    rows = Peer.objects.filter(pk__in=waiting).select_related("cluster")
    peers = {str(peer.pk): peer for peer in rows.defer("entries")}
    found = []
    for pair in pairs:
        state, sentence = state_of_pair(pair, steps)
        by_hand = tuple(peers[pk] for pk in pair.peers if pk in peers)
        if state == OPEN and by_hand:
            state = BY_HAND if job.active else LEFT_OUT
            sentence = " ".join(manual_instructions(pair, steps))
        one, other = (names.get(str(pk)) for pk in pair.clusters)
        code = code_of(state, steps.get(pair.verify))
        found.append(PairResult(pair, state, sentence, code, by_hand, one, other))
    return found


def code_of(state: str, verify: JobStep | None) -> str:
    if verify is None or state in (VERIFIED, UNVERIFIED, BY_HAND):
        return ""
    return str(verify.memo.get("code", ""))


def is_by_hand(step: JobStep) -> bool:
    return step.state != State.DONE and "looked_at" in step.memo


def manual_instructions(pair: Pair, steps: dict[str, JobStep]) -> list[str]:
    return [
        step.memo.get("sentence", "")
        for pk in pair.peers
        if (step := steps.get(PairSteps.write.of(pk).key)) and is_by_hand(step)
    ]


def state_of_pair(pair: Pair, steps: dict[str, JobStep]) -> tuple[str, str]:
    """How far the pair came, and the sentence of the step that tells it."""
    verify = steps.get(pair.verify)
    if verify is None:
        return OPEN, ""
    if verify.state == State.DONE:
        return VERIFIED, verify.detail
    if verify.state in (State.FAILED, State.UNKNOWN):
        return UNVERIFIED, verify.detail
    writes = [step for key in pair.writes if (step := steps.get(key))]
    if alone := [step.memo["alone"] for step in writes if step.memo.get("alone")]:
        return FAILED, " ".join([verify.detail, *alone]).strip()
    if any(step.state == State.UNDONE for step in writes):
        return UNDONE, verify.detail
    if verify.state == State.SKIPPED and verify.detail:
        return LEFT_OUT, verify.detail
    return OPEN, ""


def intent_left(found: list[PairResult]) -> MeshIntent:
    """What is to be planned again: the pairs that are not verified, as they were."""
    pairs = [
        (result.one, result.other, result.pair.protocol)
        for result in found
        if result.state != VERIFIED and result.one and result.other
    ]
    return MeshIntent(
        tuple((one, other) for one, other, _ in pairs),
        protocols={frozenset({a.pk, b.pk}): protocol for a, b, protocol in pairs},
    )


def resolved_peers(*jobs: Job) -> set[UUID]:
    """The ids of those ended jobs whose pairs were all seen good since, or are gone.

    A pair of which the current user may see one entry only, or none, is not good.
    """
    pairs = {job.pk: [pair.clusters for pair in pairs_of(job)] for job in jobs}
    clusters = {pk for found in pairs.values() for pair in found for pk in pair}
    rows = Peer.objects.filter(cluster__in=clusters, remote_cluster__in=clusters)
    seen = {
        (home, remote): (outcome, at)
        for home, remote, outcome, at in rows.order_by().values_list(*SEEN)
    }

    def is_good(one: UUID, other: UUID, since: datetime | None) -> bool:
        results = [seen.get((one, other)), seen.get((other, one))]
        if not any(results):
            return limit_admits(one) and limit_admits(other)
        return all(result and good_since(*result, since) for result in results)

    return {
        job.pk
        for job in jobs
        if all(is_good(*pair, job.finished_at) for pair in pairs[job.pk])
    }


def good_since(outcome: str, seen: datetime | None, at: datetime | None) -> bool:
    return bool(outcome == PeerOutcome.PASSED and seen and at and seen > at)


def job_summary(found: list[PairResult]) -> str:
    """The end of a job in a few sentences, each reason once."""
    good = sum(result.state == VERIFIED for result in found)
    wrong = [result for result in found if result.state != VERIFIED]
    reasons = Counter(result.sentence for result in wrong if result.sentence)
    sentences = [
        text if count == 1 else f"{text} ({count} peerings)"
        for text, count in reasons.items()
    ]
    if len(found) > 1:
        sentences.insert(0, f"{good} of {len(found)} peerings are verified.")
    return " ".join(sentences)
