"""1,000 AXL probes to 1,000 distinct TLS nodes at 50 ms round trip."""

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network

import uvloop

from bench import contest, contestants
from bench.server import address
from wire import (
    AxlClient,
    NodeAddress,
    Policy,
    Secret,
    Trust,
    WireError,
    gather_limited,
    run_loop,
    spare_collector,
    sql,
)

COUNT = 1_000
DELAY_MS = 50
OURS = "wire: AxlClient.probe, gather_limited"
FLOOR = "floor: bare asyncio streams, uvloop"
PEER = "peer: zeep with requests, 64 threads"
TEXT = sql.build_query("publisher_count").text


async def probe(number: int, trust: Trust, policy: Policy) -> int:
    node = NodeAddress(
        "bench.example",
        address(number),
        username="axl",
        password=Secret("password"),
        trust=trust,
        policy=policy,
        axl_version="8.5",
    )
    async with AxlClient(node) as axl:
        return await axl.probe()


def ours(fingerprint: str) -> int:
    trust = Trust(fingerprint=fingerprint)
    policy = Policy(networks=(ip_network("127.0.0.0/8"),))
    probes = (probe(number, trust, policy) for number in range(COUNT))
    counts = run_loop(gather_limited(probes))
    return sum(0 if isinstance(count, WireError) else count for count in counts)


def floor() -> int:
    """Speak the same bytes, all at once, and look at nothing but the count."""
    context = contestants.bare_context()
    request = contestants.bare_query(TEXT)

    async def main() -> int:
        asks = (
            contestants.bare_ask(address(number), context, request)
            for number in range(COUNT)
        )
        bodies = await asyncio.gather(*asks)
        return sum(b"<count>1</count>" in body for body in bodies)

    return uvloop.run(main())


def peer() -> int:
    wsdl = contestants.small_wsdl()
    local = threading.local()

    def ask(number: int) -> int:
        if not hasattr(local, "client"):
            local.client = contestants.zeep_client(wsdl)
        service = contestants.service_at(local.client, address(number))
        [row] = contestants.zeep_rows(service, TEXT)
        return int(row["count"] or 0)

    with ThreadPoolExecutor(64) as pool:
        return sum(pool.map(ask, range(COUNT)))


def main() -> None:
    name, rest = contest.contestant()
    if name:
        if name != PEER:
            # As in our workers; a script has the collector that Python gives it.
            spare_collector()
        contest.perform({OURS: lambda: ours(rest[0]), FLOOR: floor, PEER: peer}[name])
        return
    with contest.server("nodes", COUNT, DELAY_MS) as reported:
        mark = reported["fingerprint"]
        turns = (FLOOR, OURS, FLOOR, OURS, PEER)
        results = contest.in_turns("bench.sweep", turns, mark)
    contest.table(f"{COUNT} probes of {COUNT} nodes, {DELAY_MS} ms", results, OURS)
    floor_result, mine, other = results
    held = [
        contest.verdict("peer to ours", mine.seconds / other.seconds, 1 / 20),
        contest.verdict("ours to floor", mine.seconds / floor_result.seconds, 1.5),
        contest.verdict("peak MiB", mine.peak_mib, 150),
        all(result.answer == COUNT for result in results),
    ]
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
