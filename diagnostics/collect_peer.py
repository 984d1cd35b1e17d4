"""The facts of one peer: how its address answers, with its own user and password."""

import asyncio
from dataclasses import replace

import wire
from diagnostics.answers import UNASKED, Answer
from diagnostics.collect_cluster import connect_time, presented_certificate
from diagnostics.collector import Collector
from diagnostics.facts import PeerFacts
from diagnostics.node_addresses import UNOPENED, NodeTarget, PeerTarget
from wire import (
    AxlClient,
    NodeAddress,
    Resolution,
    Session,
    SipReply,
)

RESOLVE, AXL, SIP = 8.0, 20.0, 8.0


async def collect_peer(collector: Collector, peer: PeerTarget) -> PeerFacts:
    """Resolve the address, then try what lies behind it, at the same time."""
    resolution = await collector.look_up(peer.address, peer.policy, RESOLVE)
    facts = replace(as_held(peer), resolution=resolution)
    if resolution.value is None:
        return facts
    target = target_of(peer, resolution.value)
    where = _peer_address(peer, target, resolution.value)
    async with Session(where) as session:
        connect, axl, sip = await asyncio.gather(
            connect_time(collector, where),
            _axl(collector, peer, target, session),
            _sip(collector, peer, where),
        )
        certificate = await presented_certificate(collector, connect, session)
    return replace(
        facts,
        target=target.id if target else None,
        connect=connect,
        certificate=certificate,
        axl=axl,
        sip=sip,
    )


def as_held(peer: PeerTarget) -> PeerFacts:
    """Give what the console holds of a peer, with nothing tried."""
    return PeerFacts(
        id=peer.id,
        home=peer.home,
        remote=peer.remote,
        address=peer.address,
        username=peer.username,
        protocol=peer.protocol,
        mask=peer.mask,
        added_at=peer.added_at,
        trail=peer.trail,
        attested=peer.attested,
        revision=peer.revision,
        assumed=peer.assumed,
    )


def target_of(peer: PeerTarget, resolution: Resolution) -> NodeTarget | None:
    """Find the remote node that the address leads to, the publisher if several."""
    hosts = {peer.address.casefold()}
    hosts |= {target.host.casefold() for target in resolution.targets}
    hosts |= {address.casefold() for address in resolution.addresses}
    found = [
        node
        for node in peer.candidates
        if {node.name.casefold(), node.address.address.casefold(), *node.resolved}
        & hosts
    ]
    return min(found, key=lambda node: not node.publisher, default=None)


def _peer_address(
    peer: PeerTarget, target: NodeTarget | None, resolution: Resolution
) -> NodeAddress:
    """Address the peer as the home cluster would, with the peer's own credentials."""
    if target is None:
        host = peer.address if not resolution.is_srv else resolution.addresses[0]
        return NodeAddress(name=peer.address, address=host, policy=peer.policy)
    host = target.address.address if resolution.is_srv else peer.address
    return replace(
        target.address,
        address=host,
        username=peer.username,
        password=peer.password or wire.Secret(""),
    )


async def _axl(
    collector: Collector,
    peer: PeerTarget,
    target: NodeTarget | None,
    session: Session,
) -> Answer[int]:
    """Ask what the Sync Agent asks first, only behind a confirmed certificate."""
    if target is None:
        return UNASKED
    if target.blocked and target.blocked != UNOPENED:
        return Answer(failure=target.blocked)
    if peer.password is None:
        return Answer(failure=UNOPENED)

    axl = AxlClient(session.node, session=session)
    return await collector.ask(lambda s: axl.probe(deadline=s), AXL)


async def _sip(
    collector: Collector, peer: PeerTarget, where: NodeAddress
) -> Answer[SipReply]:
    return await collector.ask(
        lambda seconds: wire.send_options(where, peer.protocol, deadline=seconds), SIP
    )
