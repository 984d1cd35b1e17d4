"""A collection asks DNS for each name once, and says how long that took."""

import asyncio
import threading
from collections import Counter
from contextlib import contextmanager
from ipaddress import ip_network

from diagnostics.collect import gather_facts, resolve_all
from diagnostics.node_addresses import PeerTarget
from tests.wire.dns_server import DnsServer, zone
from wire import Policy, run_loop

HOST = "gone.example.com"
SCRIPT = zone({(HOST, "A"): [f"{HOST}. 60 IN A 127.0.0.9"]})


@contextmanager
def served(*scripts):
    """Answer in a thread, since a collection has a loop of its own."""
    servers, ready, over = [DnsServer(s) for s in scripts], threading.Event(), []

    async def main():
        over.append((asyncio.get_running_loop(), asyncio.Event()))
        for server in servers:
            await server.__aenter__()
        ready.set()
        await over[0][1].wait()
        for server in servers:
            await server.__aexit__()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    try:
        assert ready.wait(60)
        yield servers
    finally:
        loop, event = over[0]
        loop.call_soon_threadsafe(event.set)
        thread.join(10)


def policy_of(servers):
    return Policy(
        (ip_network("127.0.0.0/8"),), dns_servers=tuple(x.address for x in servers)
    )


def peer(n, policy):
    return PeerTarget(f"p{n}", "east", None, HOST, "ic", None, "TCP", "", (), policy)


def test_peers_of_one_address_ask_for_it_once():
    with served(SCRIPT) as servers:
        policy = policy_of(servers)
        found = gather_facts([], [peer(n, policy) for n in range(20)], total=10)
        requested = Counter(servers[0].queries)
    assert requested == {(HOST, "A"): 1, (HOST, "AAAA"): 1}
    taken = {one.resolution.duration_ms for one in found.peers.values()}
    assert len(found.peers) == 20
    assert found.silent_servers == ()
    assert len(taken) == 1


def test_a_dead_first_server_spoils_no_look_up_of_a_run():
    with served(zone({}, "drop"), SCRIPT) as servers:
        policy = policy_of(servers)
        found = gather_facts([], [peer(n, policy) for n in range(20)], total=10)
        dead = policy.dns_servers[0]
    assert all(one.resolution.known for one in found.peers.values())
    assert found.silent_servers == (dead,)


def test_names_that_are_compared_are_asked_for_once():
    with served(SCRIPT) as servers:
        both = run_loop(resolve_all([HOST, HOST, "x.example.com"], policy_of(servers)))
        requested = Counter(servers[0].queries)
    assert both == [{"127.0.0.9"}, {"127.0.0.9"}, set()]
    assert requested[HOST, "A"] == 1
