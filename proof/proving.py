"""Making one proof: set a state there, watch it here, take it back, keep the result."""

from dataclasses import replace
from datetime import datetime

from django.utils import timezone

import presence
import wire
from diagnostics.checks import check_with_back
from peers.models import Peer
from presence import PresenceObservation, ProofInterface, Stage, State
from presence.sip_message import host_of
from proof.connections import (
    CanaryHome,
    Kind,
    candidate_nodes,
    explain_error,
    find_home,
    sip_canary,
    xmpp_canary,
)
from proof.judge import Case, ProofVerdict, judge_proof
from proof.models import Canary, CanaryUser, Proof
from proof.signals import proof_recorded
from wire import WireError

# Seconds that a state may take from cluster to cluster.
ARRIVAL_TIMEOUT = 15.0


def prove_direction(peer: Peer, watcher: Canary, watched: Canary) -> Proof:
    """Prove one direction of a peering and keep the result."""
    began = timezone.now()
    observed = watch_presence(peer, watcher, watched)
    if not observed.arrived:
        read_status_again(peer, began)
    verdict = judge_proof(case_of(peer, watcher, watched, observed))
    return store_proof(peer, observed, verdict)


def watch_presence(peer: Peer, watcher: Canary, watched: Canary) -> PresenceObservation:
    """Watch on one cluster what is set on another; both by the same interface."""
    here, there = watcher.watcher, watched.first
    chosen = {watcher.interface, watched.interface}
    if ProofInterface.XMPP in chosen:
        return see_by_xmpp(here, there)
    if ProofInterface.SIP in chosen:
        return see_by_sip(peer, here, there)
    return see_by_service(here, there)


def see_by_xmpp(watcher: CanaryUser, watched: CanaryUser) -> PresenceObservation:
    """What a session shows ends with it, so that nothing need be remembered."""
    stage = Stage.NOT_SIGNED_IN
    try:
        here = xmpp_canary(watcher)
        stage = Stage.NOT_SET
        there = xmpp_canary(watched)
    except WireError as error:
        return PresenceObservation(stage, ProofInterface.XMPP, error=error)
    observation = wire.run_loop(
        presence.prove_by_xmpp(here, there, patience=ARRIVAL_TIMEOUT)
    )
    return with_remedy(observation, Kind.XMPP, watcher, watched)


def see_by_sip(
    peer: Peer, watcher: CanaryUser, watched: CanaryUser
) -> PresenceObservation:
    """What is published ends by itself, so that nothing need be remembered."""
    try:
        here = sip_canary(watcher, peer.protocol)
        there = sip_canary(watched, peer.protocol)
    except WireError as error:
        return PresenceObservation(Stage.NOT_SIGNED_IN, ProofInterface.SIP, error=error)
    observation = wire.run_loop(
        presence.prove_by_sip(here, there, patience=ARRIVAL_TIMEOUT)
    )
    return with_remedy(observation, Kind.CUP, watcher, watched)


def with_remedy(
    observation: PresenceObservation,
    kind: str,
    watcher: CanaryUser,
    watched: CanaryUser,
) -> PresenceObservation:
    """Say of a certificate that is not confirmed where that is done."""
    user = watched if observation.stage is Stage.NOT_SET else watcher
    node = next(candidate_nodes(user), None)
    if observation.error and node:
        explain_error(observation.error, kind, node)
    return observation


def see_by_service(watcher: CanaryUser, watched: CanaryUser) -> PresenceObservation:
    stage = Stage.NOT_SET
    try:
        there = find_home(watched)
        there = take_back_left(there)
        stage = Stage.NOT_SIGNED_IN
        here = find_home(watcher)
    except WireError as error:
        return PresenceObservation(stage, ProofInterface.PWS, error=error)
    remember_set(there)
    observed = wire.run_loop(
        presence.prove_by_service(
            here.canary, there.canary, there.state, patience=ARRIVAL_TIMEOUT
        )
    )
    if observed.restored:
        forget_set(watched.row)
    return observed


def take_back_left(home: CanaryHome) -> CanaryHome:
    """Set back what a proof that was interrupted has left."""
    row = home.user.row
    if row.state_set_at is None:
        return home
    before = State(row.state_before) if row.state_before else None
    wire.run_loop(presence.restore_state(home.canary, before))
    forget_set(row)
    return replace(home, state=before)


def remember_set(home: CanaryHome) -> None:
    """Commit that a state of the console may stand, before it does."""
    before = home.state.value if home.state else ""
    Canary.objects.filter(pk=home.user.row.pk).update(
        state_set_at=timezone.now(), state_before=before
    )


def forget_set(row: Canary) -> None:
    Canary.objects.filter(pk=row.pk).update(state_set_at=None, state_before="")
    row.state_set_at, row.state_before = None, ""


def case_of(
    peer: Peer, watcher: Canary, watched: Canary, observation: PresenceObservation
) -> Case:
    return Case(
        observation,
        watcher.cluster.name,
        watched.cluster.name,
        watcher.watcher.userid,
        watched.userid,
        watcher.cluster.domain,
        watched.cluster.domain,
        tuple(peer.entries),
    )


def read_status_again(peer: Peer, since: datetime) -> None:
    """Check the peer, unless that was done meanwhile: it knows the likely cause.

    An older status may be from before what the proof has met.
    """
    if peer.checked_at is None or peer.checked_at < since:
        check_with_back(peer)
        peer.refresh_from_db()


def rewritten_to(peer: Peer, observation: PresenceObservation) -> str:
    """Give the node of the remote cluster to which the answer shows the request led.

    It is the host of Contact: for a user of another cluster the proxy rewrites the host
    of the request URI.
    """
    if not observation.route or peer.remote_cluster is None:
        return ""
    host = host_of(observation.route[0])
    nodes = peer.remote_cluster.nodes.all()
    names = {n.casefold() for node in nodes for n in (node.name, node.address)}
    return host if host in names else ""


def store_proof(
    peer: Peer, observation: PresenceObservation, verdict: ProofVerdict
) -> Proof:
    proof = Proof.objects.create(
        peer=peer,
        at=timezone.now(),
        outcome=verdict.outcome,
        stage=observation.stage.value,
        way=observation.way.value,
        latency_ms=observation.latency_ms,
        message_ms=observation.message_ms,
        code=verdict.code,
        problem=verdict.problem[:600],
        solution=verdict.solution[:600],
        route=list(observation.route),
        rewritten_to=rewritten_to(peer, observation)[:255],
    )
    Proof.prune(peer)
    proof_recorded.send(sender=Proof)
    return proof
