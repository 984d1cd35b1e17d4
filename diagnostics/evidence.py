"""What a row of a run rests on: what was asked, what was answered, when, how long."""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from diagnostics.answers import Answer
from diagnostics.facts import HaNode, ProcessNode, Subcluster, SyncAgentSettings
from diagnostics.judge.tests import Finding
from wire import Certificate, PeerEntry, Resolution, ServiceStatus, SipReply

MOST_ANSWERS = 20
MOST_THINGS = 30
LONGEST_TEXT = 400


def finding_details(finding: Finding) -> dict[str, Any]:
    """Give the answers behind a finding, as a row keeps them."""
    evidence = list(finding.evidence.items())
    details: dict[str, Any] = {
        "answers": [answer_data(what, one) for what, one in evidence[:MOST_ANSWERS]]
    }
    if len(evidence) > MOST_ANSWERS:
        details["more"] = len(evidence) - MOST_ANSWERS
    if finding.cause:
        details["caused_by"] = finding.cause
    return details


def answer_data(what: str, one: Answer[Any]) -> dict[str, Any]:
    duration_ms = one.duration_ms
    return {
        "asked": what,
        "answer": text_of(one)[:LONGEST_TEXT],
        "at": one.at.isoformat(timespec="milliseconds") if one.at else None,
        "duration_ms": None if duration_ms is None else round(duration_ms, 1),
    }


def text_of(one: Answer[Any]) -> str:
    return words_of(one.value) if one.known else one.reason


@singledispatch
def words_of(value: object) -> str:
    """Put an answer in a few words; of what is listed, so much that one can tell."""
    return str(value)


@words_of.register
def _(value: float) -> str:
    return f"Connected in {value:.1f} ms"


@words_of.register
def _(value: tuple) -> str:  # type: ignore[type-arg]
    if not value:
        return "None"
    words = [words_of(one) for one in value[:MOST_THINGS]]
    more = [f"{len(value) - MOST_THINGS} more"] if len(value) > MOST_THINGS else []
    return "; ".join([*words, *more])


@words_of.register
def _(value: Mapping) -> str:  # type: ignore[type-arg]
    return words_of(tuple(f"{name}: {count}" for name, count in value.items()))


@words_of.register
def _(value: Certificate) -> str:
    return (
        f"{value.subject}, SHA-256 {value.fingerprint}, valid until "
        f"{value.not_after:%Y-%m-%d}, {value.tls_version}"
    )


@words_of.register
def _(value: SipReply) -> str:
    if value.peer_auth_refused:
        return "The port wants a client certificate"
    return f"{value.status} {value.reason}".strip()


@words_of.register
def _(value: ServiceStatus) -> str:
    why = f" ({value.reason})" if value.reason.strip() else ""
    return f"{value.name}: {value.status}{why}"


@words_of.register
def _(value: Resolution) -> str:
    targets = tuple(target.host for target in value.targets)
    return words_of((*targets, *value.addresses))


@words_of.register
def _(value: PeerEntry) -> str:
    mask = value.external_phone_number_mask
    protocol = value.protocol or value.protocol_raw
    parts = (value.address, value.username, protocol, mask)
    return ", ".join(part for part in parts if part)


@words_of.register
def _(value: ProcessNode) -> str:
    return f"{value.name}, publisher" if value.publisher else value.name


@words_of.register
def _(value: Subcluster) -> str:
    return f"{value.name}, high availability {'on' if value.ha_enabled else 'off'}"


@words_of.register
def _(value: HaNode) -> str:
    return f"{value.name}, state {value.state or 'unknown'}"


@words_of.register
def _(value: SyncAgentSettings) -> str:
    if not value.exists:
        return "There is no entry."
    return value.status or "There is an entry without a status."
