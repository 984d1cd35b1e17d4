"""Look-up of node and peer addresses: A, AAAA, SRV, PTR."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import dns.reversename

from wire.deadline import Deadline
from wire.errors import Code, WireError
from wire.host import parse_host
from wire.lookups import Lookups, first_answer_of, found_of, remembered_names
from wire.nameservers import silent_error
from wire.node import Policy

T = TypeVar("T")

# After so long a name is asked for as an SRV name as well: early enough for an answer
# within the usual deadlines, late enough not to add to the load of a slow server.
BESIDE = 4.0
# How long the other targets of a service may take once one has an address.
OTHER_TARGETS = 2.0
SRV_PREFIXES = ("", "_sip._tcp.", "_sips._tcp.", "_sip._udp.")


@dataclass(frozen=True)
class SrvTarget:
    host: str
    port: int
    priority: int
    weight: int
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resolution:
    """What a name leads to; `targets` only when it is an SRV name."""

    addresses: tuple[str, ...]
    targets: tuple[SrvTarget, ...] = ()
    duration_ms: float = 0.0

    @property
    def is_srv(self) -> bool:
        return bool(self.targets)


async def resolve_host(
    host: str, policy: Policy, *, deadline: float = 5.0
) -> Resolution:
    """Resolve an address, a host name or an SRV name; all must be allowed.

    Raises:
        WireError: ADDRESS, UNRESOLVABLE, or POLICY when any address is not allowed.
    """
    parsed = parse_host(host)
    if parsed.ip:
        found = Resolution((parsed.text,))
    else:
        with remembered_names() as lookups:
            found = await lookups.once(
                ("name", parsed.text, policy.dns_servers),
                parsed.text,
                lambda clock: _resolution(parsed.text, policy, lookups, clock),
                Deadline(deadline),
            )
    for address in found.addresses:
        policy.check(address)
    return found


async def reverse_names(
    address: str, policy: Policy, *, deadline: float = 5.0
) -> tuple[str, ...]:
    """Give the names that DNS holds for an address, often none."""
    ip = parse_host(address).ip
    if ip is None:
        raise WireError(Code.ADDRESS, "A reverse look-up needs an IP address.")
    with remembered_names() as lookups:
        return await lookups.once(
            ("address", str(ip), policy.dns_servers),
            str(ip),
            lambda clock: _reverse_names(str(ip), policy, lookups, clock),
            Deadline(deadline),
        )


async def _reverse_names(
    address: str, policy: Policy, lookups: Lookups, clock: Deadline
) -> tuple[str, ...]:
    if not policy.dns_servers:
        return await _in_thread(lambda: _system_names(address), address, clock)
    pointer = dns.reversename.from_address(address).to_text()
    servers = lookups.servers(policy.dns_servers)
    answers = await servers.ask(pointer, "PTR", clock)
    return tuple(str(answer.target).rstrip(".").lower() for answer in answers)


async def _resolution(
    name: str, policy: Policy, lookups: Lookups, clock: Deadline
) -> Resolution:
    """Find the addresses of a name, or of the targets of an SRV name."""
    started = time.monotonic()
    targets: Sequence[SrvTarget] = ()
    try:
        soon = clock.at_most(BESIDE)
        addresses = await _addresses(name, policy, lookups, soon)
    except WireError:
        addresses = ()
    if not addresses:
        direct = _addresses(name, policy, lookups, clock)
        service = _srv_targets(name, policy, lookups, clock)
        outcomes: list[Any] = await first_answer_of([direct, service])
        found = found_of(outcomes)
        addresses, targets = (one if one in found else () for one in outcomes)
    if not addresses:
        every = (address for target in targets for address in target.addresses)
        addresses = tuple(dict.fromkeys(every))
    if not addresses:
        raise WireError(Code.UNRESOLVABLE, node=name)
    elapsed = (time.monotonic() - started) * 1000
    return Resolution(addresses, tuple(targets), elapsed)


async def _addresses(
    name: str, policy: Policy, lookups: Lookups, clock: Deadline
) -> tuple[str, ...]:
    """Give what A and AAAA found; one of them may fail."""
    return await lookups.once(
        ("addresses", name, policy.dns_servers),
        name,
        lambda own: _ask_addresses(name, policy, lookups, own),
        clock,
    )


async def _ask_addresses(
    name: str, policy: Policy, lookups: Lookups, clock: Deadline
) -> tuple[str, ...]:
    if not policy.dns_servers:
        return await _in_thread(lambda: _system_addresses(name), name, clock)
    servers = lookups.servers(policy.dns_servers)
    both = await first_answer_of(
        [servers.ask(name, kind, clock) for kind in ("A", "AAAA")]
    )
    return tuple(record.address for records in found_of(both) for record in records)


async def _srv_targets(
    name: str, policy: Policy, lookups: Lookups, clock: Deadline
) -> tuple[SrvTarget, ...]:
    """Give the targets in their order; those whose addresses fail have none."""
    servers = lookups.servers(policy.dns_servers)
    services = [servers.ask(prefix + name, "SRV", clock) for prefix in SRV_PREFIXES]
    answers = next(iter(found_of(await first_answer_of(services))), ())
    records = sorted(answers, key=lambda record: (record.priority, -record.weight))
    # The target "." of RFC 2782 says that the service is not offered.
    named = [(str(x.target).rstrip(".").lower(), x) for x in records]
    offered = [(host, record) for host, record in named if host]
    lookups_of = [_addresses(host, policy, lookups, clock) for host, _ in offered]
    found = await first_answer_of(lookups_of, OTHER_TARGETS)
    reached = found_of(found)
    return tuple(
        SrvTarget(
            host,
            record.port,
            record.priority,
            record.weight,
            tuple(addresses) if addresses in reached else (),
        )
        for (host, record), addresses in zip(offered, found, strict=True)
    )


def _system_addresses(name: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise silent_error(name) from None
        return ()
    except UnicodeError:
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _system_names(address: str) -> tuple[str, ...]:
    try:
        name, aliases, _ = socket.gethostbyaddr(address)
    except OSError:
        return ()
    return tuple(dict.fromkeys(x.lower() for x in (name, *aliases)))


async def _in_thread(call: Callable[[], T], name: str, clock: Deadline) -> T:
    """Run the system's blocking look-up without ever waiting for its end.

    A thread of the loop's pool would be joined when the loop ends, so that one dead
    DNS server could hold a finished task for minutes; a daemon thread is not.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = call()
        except WireError as failure:
            error = failure
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name=f"dns {name}").start()
    try:
        async with clock.limit():
            return await future
    except TimeoutError:
        raise silent_error(name) from None
