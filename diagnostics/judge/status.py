"""The Intercluster Peer Status: its twelve entries, and what they add up to."""

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from typing import Any

from diagnostics.answers import UNASKED, Answer
from diagnostics.facts import ClusterFacts
from diagnostics.judge.entry import judge_provisioned, protocol_match, reverse_peer
from diagnostics.judge.peer import (
    associated_users,
    judge_address,
    judge_axl,
    judge_certificate,
    judge_connect,
    judge_credentials,
    judge_sip,
    sync_agent_local,
    sync_agent_remote,
)
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.verdict import KnownBy, Outcome, Verdict

Answers = Callable[[PeerView], Iterable[Answer[Any]]]


@dataclass(frozen=True)
class JudgedEntry:
    """One line of the Intercluster Peer Status."""

    code: str
    label: str
    judge: Callable[[PeerView], Verdict]
    answers: Answers
    known_by: KnownBy = KnownBy.PROBE

    def as_data(self, view: PeerView) -> dict[str, Any]:
        verdict = self.judge(view)
        answers = list(self.answers(view))
        durations = [a.duration_ms for a in answers if a.duration_ms]
        times = [a.at for a in answers if a.known and a.at]
        return {
            "code": self.code,
            "label": self.label,
            "outcome": verdict.outcome.value,
            "problem": verdict.problem,
            "solution": verdict.solution,
            "evidence": self.evidence(verdict).value,
            "seen_at": min(times, default=view.at).isoformat(),
            "duration_ms": round(max(durations), 1) if durations else None,
            "fix": list(astuple(verdict.fix)) if verdict.fix else None,
        }

    def evidence(self, verdict: Verdict) -> KnownBy:
        """Say by what a verdict is known; what is not known is known by nothing."""
        if verdict.known_by:
            return verdict.known_by
        seen = (Outcome.PASSED, Outcome.FAILED, Outcome.WARNING)
        return self.known_by if verdict.outcome in seen else KnownBy.NONE


def _services(cluster: ClusterFacts | None) -> list[Answer[Any]]:
    return [node.services for node in cluster.nodes] if cluster else []


def _table(cluster: ClusterFacts | None) -> list[Answer[Any]]:
    return [cluster.peers if cluster else UNASKED]


ENTRIES = (
    JudgedEntry(
        "address",
        "The peer address resolves.",
        judge_address,
        lambda v: [v.peer.resolution],
    ),
    JudgedEntry(
        "connect",
        "The remote publisher accepts connections.",
        judge_connect,
        lambda v: [v.peer.connect],
    ),
    JudgedEntry(
        "certificate",
        "The certificate is the confirmed one and valid.",
        judge_certificate,
        lambda v: [v.peer.certificate],
    ),
    JudgedEntry("axl", "AXL answers.", judge_axl, lambda v: [v.peer.axl]),
    JudgedEntry(
        "credentials",
        "The user name and password are accepted.",
        judge_credentials,
        lambda v: [v.peer.axl],
    ),
    JudgedEntry(
        "sync_agent_local",
        "The Intercluster Sync Agent is running on every home node.",
        sync_agent_local,
        lambda v: _services(v.home),
        KnownBy.SERVICES,
    ),
    JudgedEntry(
        "sync_agent_remote",
        "The Intercluster Sync Agent is running on every remote node.",
        sync_agent_remote,
        lambda v: _services(v.remote),
        KnownBy.SERVICES,
    ),
    JudgedEntry(
        "reverse_peer",
        "The remote cluster has the matching entry.",
        reverse_peer,
        lambda v: _table(v.remote),
        KnownBy.TABLE,
    ),
    JudgedEntry(
        "protocol_match",
        "Both entries prefer the same protocol.",
        protocol_match,
        lambda v: [*_table(v.home), *_table(v.remote)],
        KnownBy.TABLE,
    ),
    JudgedEntry(
        "sip",
        "SIP answers over the preferred protocol.",
        judge_sip,
        lambda v: [v.peer.sip],
    ),
    JudgedEntry(
        "provisioned",
        "The home cluster itself has this peer.",
        judge_provisioned,
        lambda v: _table(v.home),
        KnownBy.TABLE,
    ),
    JudgedEntry(
        "associated_users",
        "The associated users equal the users of the remote cluster.",
        associated_users,
        lambda v: [v.home.users, *([v.remote.users] if v.remote else [])],
        KnownBy.USERS,
    ),
)


def judge_entries(view: PeerView) -> list[dict[str, Any]]:
    """Return the twelve entries, in the order of the REST contract."""
    entries = [entry.as_data(view) for entry in ENTRIES]
    *others, users = entries
    causes = [other["problem"] for other in others if other["outcome"] == "failed"]
    if causes and users["outcome"] == "failed":
        # One fault may show twice: say which of the two to fix.
        users["problem"] += f" Likely cause (see above): {causes[0]}"
    return entries


def outcome_of(entries: Iterable[dict[str, Any]]) -> str:
    """Sum up by the worst; information says nothing, and nothing known is unknown."""
    outcomes = {entry["outcome"] for entry in entries}
    for worst in (Outcome.FAILED, Outcome.WARNING, Outcome.UNKNOWN):
        if worst in outcomes:
            return worst.value
    return "passed" if Outcome.PASSED in outcomes else "unknown"
