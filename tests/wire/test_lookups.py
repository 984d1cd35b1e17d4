"""Within a run each question goes to DNS once, and a dead server is met once."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from tests.wire.dns_server import DnsServer, policy_of, zone
from tests.wire.test_dns_faults import HOST, REAL, A, srv
from wire import (
    Code,
    WireError,
    remembered_names,
    resolve_host,
    reverse_names,
    run_loop,
)
from wire.nameservers import NameServers

GOOD = zone({(HOST, "A"): [A], ("real.example.com", "A"): [REAL]})


def with_servers(*scripts):
    """Run a test's work in one run of look-ups against these servers."""

    def wrap(work):
        async def main():
            async with AsyncExitStack() as stack:
                servers = [
                    await stack.enter_async_context(DnsServer(script))
                    for script in scripts
                ]
                with remembered_names():
                    await work(policy_of(*servers), *servers)

        run_loop(main())

    return wrap


def test_a_name_is_asked_once_by_all_who_need_it():
    @with_servers(GOOD)
    async def work(policy, server):
        requested = [resolve_host(HOST, policy) for _ in range(60)]
        found = await asyncio.gather(*requested)
        found.append(await resolve_host(HOST.upper(), policy))
        assert {x.addresses for x in found} == {("192.0.2.10",)}
        assert Counter(server.queries) == {(HOST, "A"): 1, (HOST, "AAAA"): 1}


def test_a_failure_is_asked_once_too_and_given_to_each_as_its_own():
    @with_servers(zone({}, "SERVFAIL"))
    async def work(policy, server):
        errors = await asyncio.gather(
            *(resolve_host(HOST, policy) for _ in range(9)), return_exceptions=True
        )
        assert {type(error) for error in errors} == {WireError}
        assert len({id(error) for error in errors}) == 9
        assert set(Counter(server.queries).values()) == {1}


def test_a_pointer_and_the_target_of_two_services_are_asked_once():
    target = srv("_sip._tcp.", "real.example.com")
    other = target.replace(HOST, f"b.{HOST}")
    names = [f"_sip._tcp.{HOST}", f"_sip._tcp.b.{HOST}"]
    records = {
        (names[0], "SRV"): [target],
        (names[1], "SRV"): [other],
        ("real.example.com", "A"): [REAL],
        ("11.2.0.192.in-addr.arpa", "PTR"): [],
    }

    @with_servers(zone(records))
    async def work(policy, server):
        await asyncio.gather(*(resolve_host(name, policy) for name in names))
        await asyncio.gather(*(reverse_names("192.0.2.11", policy) for _ in range(3)))
        count = Counter(server.queries)
        assert count["real.example.com", "A"] == 1
        assert count["11.2.0.192.in-addr.arpa", "PTR"] == 1


def test_who_has_no_time_left_does_not_end_the_question_for_others():
    slow = zone({(HOST, "A"): [A]})

    @with_servers(zone({}, "drop"), slow)
    async def work(policy, dead, good):
        hasty, patient = await asyncio.gather(
            resolve_host(HOST, policy, deadline=0.1),
            resolve_host(HOST, policy, deadline=5),
            return_exceptions=True,
        )
        assert hasty.code is Code.UNRESOLVABLE
        assert patient.addresses == ("192.0.2.10",)


def test_a_dead_first_server_is_asked_only_until_it_is_known(monkeypatch):
    hosts = [f"n{n}.example.com" for n in range(40)]
    records = {(h, "A"): [f"{h}. 60 IN A 192.0.2.{n + 1}"] for n, h in enumerate(hosts)}

    @with_servers(zone({}, "drop"), zone(records))
    async def work(policy, dead, good):
        await resolve_host(hosts[0], policy)
        before = len(dead.queries)
        # A busy machine makes the good one slow; the dead one is not asked for that.
        monkeypatch.setattr("wire.nameservers.NEXT_SERVER_AFTER", 60.0)
        asking = (resolve_host(h, policy, deadline=60) for h in hosts[1:])
        found = await asyncio.gather(*asking)
        assert all(x.addresses for x in found)
        assert len(dead.queries) == before


def test_a_server_that_is_known_as_dead_is_asked_where_the_other_fails():
    answers = {}

    @with_servers(
        lambda n, k: answers.get(n, "drop"), zone({(HOST, "A"): [A]}, "REFUSED")
    )
    async def work(policy, first, second):
        await resolve_host(HOST, policy)
        answers["real.example.com"] = [REAL]
        found = await resolve_host("real.example.com", policy)
        assert found.addresses == ("192.0.2.11",)


def test_another_run_asks_again():
    async def twice(policy):
        for _ in range(2):
            with remembered_names():
                await resolve_host(HOST, policy)

    async def main():
        async with DnsServer(GOOD) as server:
            await twice(policy_of(server))
            return Counter(server.queries)

    assert run_loop(main())[HOST, "A"] == 2


def test_each_policy_asks_its_own_servers():
    @with_servers(GOOD, zone({}))
    async def work(policy, good, empty):
        assert (await resolve_host(HOST, policy_of(good))).addresses
        with pytest.raises(WireError):
            await resolve_host(HOST, policy_of(empty))


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("192.0.2.53", "192.0.2.53", 53),
        ("192.0.2.53:5353", "192.0.2.53", 5353),
        ("2001:db8::53", "2001:db8::53", 53),
        ("[2001:db8::53]", "2001:db8::53", 53),
        ("[2001:db8::53]:5353", "2001:db8::53", 5353),
    ],
)
def test_a_server_is_read_with_or_without_its_port(text, address, port):
    [server] = NameServers([text])._servers
    assert (server.address, server.port) == (address, port)
