"""What answered is used, whatever happened to the questions beside it."""

from contextlib import AsyncExitStack

import pytest

from tests.wire.dns_server import DnsServer, policy_of, zone
from wire import EXPLANATIONS, Code, WireError, resolve_host, reverse_names, run_loop

HOST = "imp-pub.example.com"
UNKNOWN = EXPLANATIONS[Code.UNRESOLVABLE].sentence.format(node=HOST)
A = f"{HOST}. 60 IN A 192.0.2.10"
AAAA = f"{HOST}. 60 IN AAAA 2001:db8::10"
CNAME = f"{HOST}. 60 IN CNAME real.example.com."
REAL = "real.example.com. 60 IN A 192.0.2.11"
FAILURES = ["SERVFAIL", "REFUSED", "NOTIMP", "FORMERR", "lame", "drop"]


def ask_server(*scripts, name=HOST, call=resolve_host, deadline=4):
    """Resolve against a server for each script; give the answer and the servers."""

    async def main():
        async with AsyncExitStack() as stack:
            servers = [
                await stack.enter_async_context(DnsServer(script)) for script in scripts
            ]
            found = await call(name, policy_of(*servers), deadline=deadline)
            return found, servers

    return run_loop(main())


def srv(prefix, target, port=5060):
    return f"{prefix}{HOST}. 60 IN SRV 1 1 {port} {target}."


@pytest.mark.parametrize("failure", [*FAILURES, "NXDOMAIN"])
@pytest.mark.parametrize(
    ("good", "record", "bad"), [("A", A, "AAAA"), ("AAAA", AAAA, "A")]
)
def test_an_address_is_used_whatever_becomes_of_the_other(failure, good, record, bad):
    found, _ = ask_server(zone({(HOST, good): [record], (HOST, bad): failure}))
    assert len(found.addresses) == 1
    assert not found.is_srv


@pytest.mark.parametrize("failure", FAILURES)
def test_a_name_behind_an_alias_survives_a_failed_aaaa(failure):
    found, _ = ask_server(zone({(HOST, "A"): [CNAME, REAL], (HOST, "AAAA"): failure}))
    assert found.addresses == ("192.0.2.11",)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("prefix", ["", "_sip._tcp.", "_sips._tcp.", "_sip._udp."])
def test_an_srv_name_survives_its_failed_siblings(failure, prefix):
    records = {
        (HOST, "A"): [],
        (HOST, "AAAA"): [],
        (f"{prefix}{HOST}", "SRV"): [srv(prefix, "real.example.com")],
        ("real.example.com", "A"): [REAL],
    }
    found, _ = ask_server(zone(records, failure))
    assert [target.host for target in found.targets] == ["real.example.com"]
    assert found.addresses == ("192.0.2.11",)


@pytest.mark.parametrize("failure", FAILURES)
def test_an_srv_name_survives_failed_addresses_of_its_own(failure):
    records = {
        (HOST, "A"): failure,
        (HOST, "AAAA"): failure,
        (f"_sip._tcp.{HOST}", "SRV"): [srv("_sip._tcp.", "real.example.com")],
        ("real.example.com", "A"): [REAL],
    }
    found, _ = ask_server(zone(records), deadline=8)
    assert found.addresses == ("192.0.2.11",)


@pytest.mark.parametrize("failure", [*FAILURES, "NXDOMAIN", ()])
def test_a_target_without_an_address_does_not_spoil_the_others(failure):
    name = f"_sip._tcp.{HOST}"
    both = [
        srv("_sip._tcp.", "gone.example.com"),
        srv("_sip._tcp.", "real.example.com"),
    ]
    records = {
        (name, "SRV"): both,
        ("gone.example.com", "A"): failure,
        ("gone.example.com", "AAAA"): failure,
        ("real.example.com", "A"): [REAL],
    }
    found, _ = ask_server(zone(records), name=name)
    assert found.addresses == ("192.0.2.11",)
    assert {x.host: x.addresses for x in found.targets}["gone.example.com"] == ()


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_pointer_fails_only_the_reverse_look_up(failure):
    async def both(name, policy, deadline):
        found = await resolve_host(name, policy, deadline=deadline)
        with pytest.raises(WireError) as caught:
            await reverse_names("192.0.2.10", policy, deadline=1)
        assert caught.value.code is Code.UNRESOLVABLE
        assert caught.value.retryable
        return found

    pointer = ("10.2.0.192.in-addr.arpa", "PTR")
    found, _ = ask_server(zone({(HOST, "A"): [A], pointer: failure}), call=both)
    assert found.addresses == ("192.0.2.10",)


@pytest.mark.parametrize("first", FAILURES)
def test_the_next_server_answers_for_a_bad_one(first):
    good = zone({(HOST, "A"): [A]})
    found, _ = ask_server(zone({}, first), good)
    assert found.addresses == ("192.0.2.10",)
    found, _ = ask_server(good, zone({}, first))
    assert found.addresses == ("192.0.2.10",)


def test_a_dead_server_and_a_refusing_one_leave_the_third():
    good = zone({(HOST, "A"): [A]})
    found, _ = ask_server(zone({}, "drop"), zone({}, "REFUSED"), good)
    assert found.addresses == ("192.0.2.10",)


@pytest.mark.parametrize("way", ["wrong-id", "long"])
def test_an_answer_is_heard_behind_a_strange_one(way):
    found, [server] = ask_server(zone({(HOST, "A"): [A, way]}))
    assert found.addresses == ("192.0.2.10",)
    assert bool(server.over_tcp) == (way == "long")


@pytest.mark.parametrize("failure", FAILURES)
def test_a_name_that_no_server_answers_for_is_not_called_unknown(failure):
    with pytest.raises(WireError) as caught:
        ask_server(zone({}, failure), deadline=1)
    assert caught.value.code is Code.UNRESOLVABLE
    assert caught.value.retryable
    assert caught.value.message != UNKNOWN


@pytest.mark.parametrize("nothing", [(), "NXDOMAIN"])
def test_a_name_that_dns_denies_is_unknown(nothing):
    with pytest.raises(WireError) as caught:
        ask_server(zone({}, nothing))
    assert not caught.value.retryable
    assert caught.value.message == UNKNOWN


def test_a_name_too_long_for_its_prefixes_is_resolved_or_unknown():
    label = "a" * 62
    name = f"{label}.{label}.{label}.{'b' * 61}"
    with pytest.raises(WireError) as caught:
        ask_server(zone({}), name=name)
    assert not caught.value.retryable
