"""Questions to DNS servers, around those that are dead, refuse or are lame."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdatatype
import dns.resolver

from wire.deadline import Deadline
from wire.errors import Code, WireError

# After so long the next server is asked beside one that is silent.
NEXT_SERVER_AFTER = 1.0
# At once to one server: more would overflow the buffer of its socket, and are lost.
PLACES = 100


class _RefusalError(Exception):
    """A server did not answer the question; the words say how."""


class NameServers:
    """The DNS servers of one run, which puts those that kept silent behind the others.

    Args:
        addresses: "address:port"; empty for those of the machine.
    """

    def __init__(self, addresses: Sequence[str] = ()) -> None:
        self._servers = [_server(text) for text in addresses] or _of_machine()
        self._late: set[str] = set()
        # Of each server its own: a dead one must not take the places of a good one.
        self._places: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(PLACES)
        )

    @property
    def late(self) -> tuple[str, ...]:
        """Name the servers that another one had to answer for, as "address:port"."""
        return tuple(_name(x) for x in self._servers if str(x) in self._late)

    async def ask(self, name: str, kind: str, clock: Deadline) -> Sequence[Any]:
        """Give the records of one kind, none if there are none.

        Raises:
            WireError: UNRESOLVABLE, because no server answered the question.
        """
        try:
            dns.name.from_text(name)
        except dns.exception.DNSException:
            return ()
        waiting: dict[asyncio.Task[Sequence[Any]], str] = {}
        try:
            return await self._first_answer(name, kind, clock, waiting)
        finally:
            for task in waiting:
                task.cancel()

    async def _first_answer(
        self,
        name: str,
        kind: str,
        clock: Deadline,
        waiting: dict[asyncio.Task[Sequence[Any]], str],
    ) -> Sequence[Any]:
        """Ask one server after the other, each beside those that are silent yet."""
        refusals: list[str] = []
        # By waits that ended, not by the clock: a timer may fire a little early.
        silent_servers: set[str] = set()
        servers = iter(sorted(self._servers, key=lambda x: str(x) in self._late))
        while True:
            server = next(servers, None)
            if server:
                task = asyncio.create_task(self._question(server, name, kind, clock))
                waiting[task] = str(server)
            elif not waiting:
                raise _no_answer(name, refusals)
            left = max(clock.remaining(), 0)
            done, _ = await asyncio.wait(
                waiting,
                timeout=min(NEXT_SERVER_AFTER, left) if server else left,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                del waiting[task]
                try:
                    answer = task.result()
                except _RefusalError as refusal:
                    refusals.append(str(refusal))
                    continue
                unanswered = {x for one, x in waiting.items() if not one.done()}
                self._late |= silent_servers & unanswered
                return answer
            if done:
                continue
            if left <= 0:
                raise _no_answer(name, refusals)
            silent_servers.update(waiting.values())

    async def _question(
        self, server: dns.nameserver.Nameserver, name: str, kind: str, clock: Deadline
    ) -> Sequence[Any]:
        async with self._places[str(server)]:
            resolver = dns.asyncresolver.Resolver(configure=False)
            resolver.nameservers = [server]
            try:
                answer = await resolver.resolve(
                    name, kind, lifetime=max(clock.remaining(), 0.001), search=False
                )
            except (dns.resolver.NXDOMAIN, dns.resolver.YXDOMAIN):
                return ()
            except dns.resolver.NoAnswer as error:
                if _is_lame(error):
                    raise _RefusalError("lame") from None
                return ()
            except dns.exception.Timeout:
                raise _RefusalError("dns timeout") from None
            except dns.resolver.NoNameservers as error:
                raise _RefusalError(_refusal(error)) from None
            except (dns.exception.DNSException, OSError) as error:
                raise _RefusalError(type(error).__name__) from None
            return list(answer)


def _name(server: dns.nameserver.Nameserver) -> str:
    return f"{server.answer_nameserver()}:{server.answer_port()}"


def _is_lame(error: dns.resolver.NoAnswer) -> bool:
    """Tell a server that does not know the zone from one that knows of no record."""
    flags: int = error.kwargs["response"].flags
    return not flags & (dns.flags.AA | dns.flags.RA)


def _refusal(error: dns.resolver.NoNameservers) -> str:
    """Name the status that a server answered with, as REFUSED."""
    for *_, response in error.kwargs.get("errors", ()):
        if response is not None:
            return dns.rcode.to_text(response.rcode())
    return "no usable answer"


def _no_answer(name: str, refusals: Sequence[str]) -> WireError:
    refused = [refusal for refusal in refusals if refusal != "dns timeout"]
    if not refused:
        return silent_error(name)
    return WireError(
        Code.UNRESOLVABLE,
        f"The DNS servers cannot answer for {name}.",
        remedy="Check the DNS servers of the console.",
        detail=", ".join(dict.fromkeys(refused)),
        retryable=True,
    )


def silent_error(name: str) -> WireError:
    return WireError(
        Code.UNRESOLVABLE,
        f"The DNS servers did not answer in time for {name}.",
        remedy="Check the DNS servers: a dead first server delays every look-up.",
        detail="dns timeout",
        retryable=True,
    )


def _of_machine() -> list[dns.nameserver.Nameserver]:
    try:
        resolver = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        message = "The console's machine has no DNS servers."
        raise WireError(Code.UNRESOLVABLE, message) from None
    return [
        _server(server) if isinstance(server, str) else server
        for server in resolver.nameservers
    ]


def _server(text: str) -> dns.nameserver.Nameserver:
    """Read "address", "address:port" or "[address]:port"."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or (":" in host and not host.endswith("]")):
        host, port = text, "53"
    return dns.nameserver.Do53Nameserver(host.strip("[]"), int(port))
