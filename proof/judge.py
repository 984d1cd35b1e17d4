"""What a proof means: judgements over what was seen and the entries of the peer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from presence import PresenceCode, PresenceObservation, ProofInterface, Stage
from wire import Code, WireError

# Nobody answered: the SIP proxy serves two interfaces, the XCP services the third.
_SILENT = (Code.REFUSED, Code.TIMEOUT, Code.UNREACHABLE, Code.CLOSED)
# Entries of the peer that keep presence from arriving, the nearest cause first.
_CAUSES = {
    "sync_agent_local": "agent_stopped",
    "sync_agent_remote": "agent_stopped",
    "address": "dns",
    "provisioned": "no_entry",
    "reverse_peer": "no_matching_entry",
    "protocol_match": "wrong_protocol",
    "credentials": "wrong_credentials",
    "sip": "proxy_down",
}
_HOW_FAR = {
    Stage.NOT_SIGNED_IN: "{a} could not be signed in on {home}.",
    Stage.NOT_SET: "The availability of {b} could not be set on {remote}.",
    Stage.SIGNED_IN: "{a} was signed in on {home}; the subscription was not accepted.",
    Stage.SUBSCRIBED: "{home} accepted the subscription of {a} to {b} and sent no "
    "availability.",
    Stage.PENDING: "{home} accepted the subscription of {a} to {b} as pending and sent "
    "no availability.",
    Stage.BLOCKED: "{home} shows {b} as unavailable, although the availability was set "
    "on {remote}.",
    Stage.OLD_STATE: "{home} still shows {b} as {seen}; the availability that was set "
    "on {remote} did not arrive.",
    Stage.UNKNOWN_USER: "{home} does not know {b}.",
}
_OWN_ADVICE = {
    Stage.SUBSCRIBED: "Look at the entries of the peer on both clusters.",
    Stage.PENDING: "Check that users need not approve the subscriptions of others "
    "(presence settings of the remote cluster).",
    Stage.BLOCKED: "Check the privacy policy of the watched user and the policy of its "
    "domain; allow the watching user.",
    Stage.OLD_STATE: "Look at the entries of the peer; restart the XCP Router or the "
    "SIP proxy only when they are good.",
    Stage.UNKNOWN_USER: "The Intercluster Sync Agent has probably not carried the user "
    "yet. Check that the user is licensed on its cluster, then resync the peer.",
}
_OWN_CODE = {
    Stage.SUBSCRIBED: "no_notification",
    Stage.PENDING: "pending",
    Stage.BLOCKED: "blocked",
    Stage.OLD_STATE: "old_state",
    Stage.UNKNOWN_USER: "user_not_synced",
}
FIX_FIRST = "Fix that problem first, then prove again."
# What a SIP proxy says of a next hop whose name it cannot resolve.
_UNRESOLVABLE = "478"
_RESOLVE = "Check that the nodes of both clusters resolve each other's names."
_ABOUT_PROOF = (Stage.NOT_SIGNED_IN, Stage.NOT_SET, Stage.SIGNED_IN)


@dataclass(frozen=True)
class Case:
    """A proof that was made, in the words of its two clusters."""

    observation: PresenceObservation
    home: str
    remote: str
    watcher: str
    watched: str
    home_domain: str = ""
    remote_domain: str = ""
    entries: tuple[Mapping[str, Any], ...] = ()

    @property
    def how_far(self) -> str:
        seen = self.observation.seen
        return _HOW_FAR[self.observation.stage].format(
            a=self.watcher,
            b=self.watched,
            home=self.home,
            remote=self.remote,
            seen=seen.value.lower() if seen else "unknown",
        )

    @property
    def domains_differ(self) -> bool:
        domains = {self.home_domain.casefold(), self.remote_domain.casefold()}
        return len(domains) > 1


@dataclass(frozen=True)
class ProofVerdict:
    """The outcome of a proof; `code` never changes, the sentences may."""

    outcome: str
    code: str
    problem: str = ""
    solution: str = ""


def judge_proof(case: Case) -> ProofVerdict:
    """Say what a proof means."""
    stage = case.observation.stage
    if stage is Stage.ARRIVED:
        return _judge_arrival(case)
    if stage in _ABOUT_PROOF:
        return _not_made(case)
    if stage is Stage.UNKNOWN_USER and case.domains_differ:
        return ProofVerdict(
            "failed",
            "wrong_domain",
            f"{case.how_far} The presence domains of both clusters differ: "
            f"{case.home_domain or 'none'} and {case.remote_domain or 'none'}.",
            "Correct the presence domain of the cluster in the console, or set the "
            "same domain on both clusters.",
        )
    if explained := _explained(case, case.how_far):
        return explained
    outcome = "warning" if stage is Stage.BLOCKED else "failed"
    return ProofVerdict(outcome, _OWN_CODE[stage], case.how_far, _OWN_ADVICE[stage])


def _judge_arrival(case: Case) -> ProofVerdict:
    if case.observation.message_lost:
        return ProofVerdict(
            "warning",
            "message_lost",
            f"Presence arrives. A message from {case.watcher} to {case.watched} did "
            "not come back.",
            "Check that instant messaging is enabled on both clusters, and their "
            "policies for messages.",
        )
    if case.observation.restored:
        return ProofVerdict("passed", "arrived")
    if case.observation.way is ProofInterface.XMPP:
        return ProofVerdict(
            "warning",
            "not_taken_back",
            f"Presence arrives. {case.watcher} and {case.watched} may still be in each "
            "other's contact list.",
            "The next proof leaves contacts that it finds; remove them with a client.",
        )
    return ProofVerdict(
        "warning",
        "not_taken_back",
        f"Presence arrives. The availability of {case.watched} on {case.remote} could "
        "not be set back.",
        "The next proof sets it back; otherwise it expires within an hour.",
    )


def _not_made(case: Case) -> ProofVerdict:
    """Judge a proof that did not come so far as to say something about presence."""
    error = case.observation.error
    if error is None:
        problem = f"{case.how_far} The time for the proof was over."
        return ProofVerdict(
            "unknown", "late", problem, "Try again when the nodes are less busy."
        )
    problem, code = f"{case.how_far} {error.message}", str(error.code)
    if error.detail:
        problem = f"{problem} ({error.detail})"
    if error.code in _SILENT and case.observation.way is ProofInterface.XMPP:
        advice = (
            "Check that Cisco XCP Router and Cisco XCP Connection Manager are running "
            "on the node. Then check the port and firewalls."
        )
        return ProofVerdict("failed", "router_down", problem, advice)
    if error.code in _SILENT:
        advice = (
            "Check that the SIP proxy is running on the node: it serves this "
            "interface. Then check the port and firewalls."
        )
        return ProofVerdict("failed", "proxy_down", problem, advice)
    if error.code == PresenceCode.XMPP_DOMAIN:
        return ProofVerdict("failed", "wrong_domain", problem, error.remedy)
    if error.code == PresenceCode.XMPP_ROUTE:
        return _no_route(case, problem, error)
    if (
        error.code == PresenceCode.FORBIDDEN
        and case.observation.stage is Stage.SIGNED_IN
    ):
        # A cluster that has no matching entry forbids it too.
        return _explained(case, problem) or ProofVerdict(
            "warning", "blocked", problem, error.remedy
        )
    if error.code in (PresenceCode.CONTACT, PresenceCode.NOT_FOUND):
        differs = case.domains_differ and case.observation.stage is Stage.SIGNED_IN
        return ProofVerdict(
            "failed", "wrong_domain" if differs else code, problem, error.remedy
        )
    if error.code == PresenceCode.SIP_STATUS:
        if explained := _explained(case, problem):
            return explained
        if error.detail.startswith(_UNRESOLVABLE):
            return ProofVerdict("failed", "dns", problem, _RESOLVE)
    return ProofVerdict("unknown", code, problem, error.remedy)


def _explained(case: Case, problem: str) -> ProofVerdict | None:
    """Name the likely cause by the entries of the peer, if they show one."""
    if cause := _cause_in(case.entries):
        said = f"{problem} Likely cause: {cause[1]}"
        return ProofVerdict("failed", cause[0], said, FIX_FIRST)
    return None


def _no_route(case: Case, problem: str, error: WireError) -> ProofVerdict:
    """Judge a domain to which the watcher's cluster found no way."""
    code = "wrong_domain" if case.domains_differ else "dns"
    return _explained(case, problem) or ProofVerdict(
        "failed", code, problem, error.remedy
    )


def _cause_in(entries: Iterable[Mapping[str, Any]]) -> tuple[str, str] | None:
    failed = {
        one["code"]: one["problem"] for one in entries if one["outcome"] == "failed"
    }
    return next(
        ((cause, failed[code]) for code, cause in _CAUSES.items() if code in failed),
        None,
    )
