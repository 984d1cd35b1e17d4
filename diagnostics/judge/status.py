"""The Intercluster Peer Status: its twelve entries, and what they add up to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from diagnostics.facts import UNASKED, Answer, ClusterFacts
from diagnostics.judge.peer import (
    PeerView,
    address,
    associated_users,
    axl,
    certificate,
    connect,
    credentials,
    protocol_match,
    provisioned,
    reverse_peer,
    sip,
    sync_agent_local,
    sync_agent_remote,
)
from diagnostics.judge.verdict import Outcome, Verdict

Answers = Callable[[PeerView], Iterable[Answer[Any]]]


@dataclass(frozen=True)
class Entry:
    """One line of the Intercluster Peer Status."""

    code: str
    label: str
    judge: Callable[[PeerView], Verdict]
    answers: Answers

    def told(self, view: PeerView) -> dict[str, Any]:
        verdict = self.judge(view)
        durations = [a.duration_ms for a in self.answers(view) if a.duration_ms]
        return {
            "code": self.code,
            "label": self.label,
            "outcome": verdict.outcome.value,
            "problem": verdict.problem,
            "solution": verdict.solution,
            "duration_ms": round(max(durations), 1) if durations else None,
            "fix": [verdict.fix.view, verdict.fix.pk] if verdict.fix else None,
        }


def _services(cluster: ClusterFacts | None) -> list[Answer[Any]]:
    return [node.services for node in cluster.nodes] if cluster else []


def _table(cluster: ClusterFacts | None) -> list[Answer[Any]]:
    return [cluster.peers if cluster else UNASKED]


ENTRIES = (
    Entry(
        "address",
        "The peer address resolves.",
        address,
        lambda v: [v.peer.resolution],
    ),
    Entry(
        "connect",
        "The remote publisher accepts connections.",
        connect,
        lambda v: [v.peer.connect],
    ),
    Entry(
        "certificate",
        "The certificate is the confirmed one and valid.",
        certificate,
        lambda v: [v.peer.certificate],
    ),
    Entry("axl", "AXL answers.", axl, lambda v: [v.peer.axl]),
    Entry(
        "credentials",
        "The user name and password are accepted.",
        credentials,
        lambda v: [v.peer.axl],
    ),
    Entry(
        "sync_agent_local",
        "The Intercluster Sync Agent is started on every home node.",
        sync_agent_local,
        lambda v: _services(v.home),
    ),
    Entry(
        "sync_agent_remote",
        "The Intercluster Sync Agent is started on every remote node.",
        sync_agent_remote,
        lambda v: _services(v.remote),
    ),
    Entry(
        "reverse_peer",
        "The remote cluster has its entry back.",
        reverse_peer,
        lambda v: _table(v.remote),
    ),
    Entry(
        "protocol_match",
        "Both sides prefer the same protocol.",
        protocol_match,
        lambda v: [*_table(v.home), *_table(v.remote)],
    ),
    Entry(
        "sip",
        "SIP answers over the preferred protocol.",
        sip,
        lambda v: [v.peer.sip],
    ),
    Entry(
        "provisioned",
        "The home cluster itself has this peer.",
        provisioned,
        lambda v: _table(v.home),
    ),
    Entry(
        "associated_users",
        "The associated users equal the users of the remote cluster.",
        associated_users,
        lambda v: [v.home.users, *([v.remote.users] if v.remote else [])],
    ),
)


def judge(view: PeerView) -> list[dict[str, Any]]:
    """Return the twelve entries, in the order of the REST contract."""
    entries = [entry.told(view) for entry in ENTRIES]
    *others, users = entries
    causes = [other["label"] for other in others if other["outcome"] == "failed"]
    if causes and users["outcome"] == "failed":
        # One fault may show twice: say which of the two to mend.
        users["problem"] += f" Not so above: {causes[0]}"
    return entries


def outcome_of(entries: Iterable[dict[str, Any]]) -> str:
    """Sum up: unknown when anything could not be known, for unknown is not good."""
    outcomes = {entry["outcome"] for entry in entries}
    if Outcome.FAILED in outcomes:
        return "failed"
    if Outcome.WARNING in outcomes:
        return "warning"
    if Outcome.INFORMATION in outcomes or not outcomes:
        return "unknown"
    return "passed"
