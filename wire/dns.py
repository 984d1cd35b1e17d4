"""Look-up of node and peer addresses: A, AAAA, SRV, PTR."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver
import dns.reversename

from wire.deadline import Deadline
from wire.errors import Code, WireError
from wire.host import parse_host
from wire.node import Policy

T = TypeVar("T")

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


async def resolve(host: str, policy: Policy, *, deadline: float = 5.0) -> Resolution:
    """Resolve an address, a host name or an SRV name; all must be allowed.

    Raises:
        WireError: ADDRESS, UNRESOLVABLE, or POLICY when any address is not allowed.
    """
    parsed = parse_host(host)
    began = time.monotonic()
    clock = Deadline(deadline)
    targets: tuple[SrvTarget, ...] = ()
    if parsed.ip:
        addresses: tuple[str, ...] = (parsed.text,)
    else:
        addresses = await _addresses(parsed.text, policy, clock)
        if not addresses:
            targets = await _srv_targets(parsed.text, policy, clock)
            found = (address for target in targets for address in target.addresses)
            addresses = tuple(dict.fromkeys(found))
    if not addresses:
        raise WireError(Code.UNRESOLVABLE, node=parsed.text)
    for address in addresses:
        policy.check(address)
    elapsed = (time.monotonic() - began) * 1000
    return Resolution(addresses, targets, elapsed)


async def reverse(
    address: str, policy: Policy, *, deadline: float = 5.0
) -> tuple[str, ...]:
    """Give the names that DNS holds for an address, often none."""
    clock = Deadline(deadline)
    ip = parse_host(address).ip
    if ip is None:
        raise WireError(Code.ADDRESS, "A reverse look-up needs an IP address.")
    if policy.dns_servers:
        pointer = dns.reversename.from_address(str(ip)).to_text()
        answers = await _ask(pointer, "PTR", policy, clock)
        return tuple(str(answer.target).rstrip(".").lower() for answer in answers)
    return await _in_thread(lambda: _system_names(str(ip)), str(ip), clock)


async def _addresses(name: str, policy: Policy, clock: Deadline) -> tuple[str, ...]:
    if not policy.dns_servers:
        return await _in_thread(lambda: _system_addresses(name), name, clock)
    both = await asyncio.gather(
        _ask(name, "A", policy, clock), _ask(name, "AAAA", policy, clock)
    )
    return tuple(answer.address for answers in both for answer in answers)


async def _srv_targets(
    name: str, policy: Policy, clock: Deadline
) -> tuple[SrvTarget, ...]:
    asked = [_ask(prefix + name, "SRV", policy, clock) for prefix in SRV_PREFIXES]
    answers = next(filter(None, await asyncio.gather(*asked)), ())
    records = sorted(answers, key=lambda record: (record.priority, -record.weight))
    hosts = [str(record.target).rstrip(".").lower() for record in records]
    found = await asyncio.gather(
        *(_addresses(host, policy, clock) if host else _none() for host in hosts)
    )
    return tuple(
        SrvTarget(host, record.port, record.priority, record.weight, addresses)
        for host, record, addresses in zip(hosts, records, found, strict=True)
        if host
    )


async def _none() -> tuple[str, ...]:
    """Stand for the target "." of RFC 2782: the service is not offered."""
    return ()


async def _ask(name: str, kind: str, policy: Policy, clock: Deadline) -> Sequence[Any]:
    try:
        answer = await _resolver(policy).resolve(
            name, kind, lifetime=max(clock.remaining(), 0.001), search=False
        )
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
        return ()
    except dns.exception.Timeout:
        raise _silent(name) from None
    except (dns.exception.DNSException, OSError) as error:
        raise WireError(
            Code.UNRESOLVABLE,
            f"The DNS servers cannot answer for {name}.",
            detail=type(error).__name__,
            retryable=True,
        ) from None
    return list(answer)


def _silent(name: str) -> WireError:
    return WireError(
        Code.UNRESOLVABLE,
        f"The DNS servers did not answer in time for {name}.",
        remedy="Check the DNS servers: a dead first server delays every look-up.",
        detail="dns timeout",
        retryable=True,
    )


def _resolver(policy: Policy) -> dns.asyncresolver.Resolver:
    try:
        resolver = dns.asyncresolver.Resolver(configure=not policy.dns_servers)
    except dns.resolver.NoResolverConfiguration:
        message = "The console's machine has no DNS servers."
        raise WireError(Code.UNRESOLVABLE, message) from None
    if policy.dns_servers:
        resolver.nameservers = [_server(text) for text in policy.dns_servers]
    return resolver


def _server(text: str) -> dns.nameserver.Do53Nameserver:
    host, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    return dns.nameserver.Do53Nameserver(host.strip("[]"), int(port or 53))


def _system_addresses(name: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise _silent(name) from None
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
        raise _silent(name) from None
