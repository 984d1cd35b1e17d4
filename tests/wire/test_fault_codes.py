"""Every way in which the lab misbehaves, and the code that tells it."""

import asyncio
import dataclasses

import pytest

from wire import (
    AxlClient,
    Backoff,
    Code,
    ControlCenterClient,
    PeerTable,
    PeerTableClient,
    PeerValues,
    Policy,
    Secret,
    Trust,
    Unlimited,
    WireError,
    fetch_certificate,
    parse_host,
    platforms,
    resolve_host,
    run_loop,
    send_options,
    sql,
)
from wire.control_center_reasons import REASONS

TABLE = PeerTable.from_dict(platforms.profile_of("cup8").peer_table)
QUICK = Backoff(first=0.1, most=0.2, tries=3)


def code_of(call):
    with pytest.raises(WireError) as caught:
        run_loop(call)
    return caught.value


def patience(code):
    return 0.5 if code is Code.TIMEOUT else 30


async def probe(node, deadline=30):
    async with AxlClient(node, backoff=QUICK) as axl:
        return await axl.probe(deadline=deadline)


async def enterprise_nodes(node):
    async with AxlClient(node) as axl:
        return [row async for row in axl.rows(sql.build_query("enterprise_nodes"))]


async def insert(node, deadline=30):
    async with AxlClient(node, backoff=QUICK) as axl:
        values = PeerValues("ic", "TCP", "", Secret("open sesame"))
        peers = PeerTableClient(axl, TABLE)
        return await peers.insert("10.7.7.7", values, deadline=deadline)


async def statuses(node, deadline=30):
    client = ControlCenterClient(node, limiter=Unlimited(), backoff=QUICK)
    async with client as center:
        return await center.statuses(deadline=deadline)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("no-role", Code.FORBIDDEN),
        ("off", Code.AXL_OFF),
        ("html-200", Code.NOT_SOAP),
        ("html-401", Code.UNAUTHORIZED),
        ("html-403", Code.FORBIDDEN),
        ("html-404", Code.AXL_OFF),
        ("html-503", Code.UNAVAILABLE),
        ("empty", Code.NOT_SOAP),
        ("redirect", Code.REDIRECT),
        ("truncated-xml", Code.INCOMPLETE),
        ("entities", Code.NOT_SOAP),
        ("bomb:20", Code.TOO_LARGE),
        ("stall", Code.TIMEOUT),
        ("slow:3", Code.TIMEOUT),
        ("stall-body", Code.TIMEOUT),
        ("drip", Code.TIMEOUT),
        ("cut-headers", Code.CLOSED),
        ("cut-body", Code.CLOSED),
        ("hang-up", Code.CLOSED),
        ("reset", Code.CLOSED),
        ("throttle", Code.THROTTLED),
        ("memory", Code.THROTTLED),
        ("error:-201", Code.FAULT),
    ],
)
def test_axl_fault_has_its_code(publisher, cluster, fault, code):
    cluster.set_fault("axl", fault)
    error = code_of(probe(publisher, patience(code)))
    assert error.code is code
    assert publisher.password.reveal() not in f"{error.__dict__}"


@pytest.mark.parametrize(
    "fault", ["wrong-namespace", "latin1", "control-characters", "old-namespace"]
)
def test_axl_dialect_is_understood(publisher, cluster, fault):
    cluster.set_fault("axl", fault)
    [row] = run_loop(enterprise_nodes(publisher))
    assert row["name"].startswith("cup2-pub.lab.example")


@pytest.mark.parametrize("fault", ["latin1", "control-characters"])
def test_characters_that_cannot_be_arrive_marked(publisher, cluster, fault):
    cluster.set_fault("axl", fault)
    assert "\ufffd" in str(run_loop(enterprise_nodes(publisher)))


@pytest.mark.parametrize(
    ("fault", "code", "unknown"),
    [
        ("read-only", Code.UNAUTHORIZED, False),
        ("write-503", Code.THROTTLED, False),
    ],
)
def test_refused_write_did_not_happen(publisher, cluster, fault, code, unknown):
    cluster.set_fault("axl", fault)
    error = code_of(insert(publisher))
    assert (error.code, error.outcome_unknown) == (code, unknown)
    assert cluster.peers() == []


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("cut-headers", Code.CLOSED),
        ("cut-body", Code.CLOSED),
        ("hang-up", Code.CLOSED),
        ("reset", Code.CLOSED),
        ("stall", Code.TIMEOUT),
        ("drip", Code.TIMEOUT),
        ("html-200", Code.NOT_SOAP),
    ],
)
def test_write_without_an_answer_has_an_unknown_outcome(
    publisher, cluster, fault, code
):
    async def main():
        async with AxlClient(publisher) as axl:
            await axl.probe()
            cluster.set_fault("axl", fault)
            values = PeerValues("ic", "TCP", "", Secret("open sesame"))
            peers = PeerTableClient(axl, TABLE)
            await peers.insert("10.7.7.7", values, deadline=patience(code))

    error = code_of(main())
    cluster.clear_faults()
    cluster.remove_peer("10.7.7.7")
    assert (error.code, error.outcome_unknown) == (code, True)
    assert "sesame" not in f"{error.__dict__}"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("off", Code.NOT_OFFERED),
        ("html-200", Code.NOT_SOAP),
        ("html-401", Code.UNAUTHORIZED),
        ("html-403", Code.FORBIDDEN),
        ("html-503", Code.UNAVAILABLE),
        ("empty", Code.NOT_SOAP),
        ("redirect", Code.REDIRECT),
        ("truncated-xml", Code.INCOMPLETE),
        ("entities", Code.NOT_SOAP),
        ("bomb:20", Code.TOO_LARGE),
        ("stall", Code.TIMEOUT),
        ("drip", Code.TIMEOUT),
        ("cut-body", Code.CLOSED),
        ("throttle", Code.THROTTLED),
        ("rate:0", Code.THROTTLED),
    ],
)
def test_control_center_fault_has_its_code(publisher, cluster, fault, code):
    cluster.set_fault("control_center", fault)
    assert code_of(statuses(publisher, patience(code))).code is code


@pytest.mark.parametrize("style", ["multiref", "inline"])
def test_legacy_control_center_is_found_in_both_styles(publisher, cluster, style):
    cluster.set_fault("control_center", "legacy-only")

    async def main():
        client = ControlCenterClient(publisher, limiter=Unlimited())
        async with client as center:
            return len(await center.statuses()), center.control_center

    count, spoken = run_loop(main())
    assert count > 10
    assert spoken == "legacy"


@pytest.mark.parametrize("fault", ["wrong-namespace", "latin1", "scrambled"])
def test_control_center_dialect_is_understood(publisher, cluster, fault):
    cluster.set_fault("control_center", fault)
    assert len(run_loop(statuses(publisher))) > 10


def test_refused_command_is_told_in_words(publisher, cluster):
    cluster.set_fault("control_center", "refuse:-1042")
    agent = platforms.profile_of("cup8").sync_agent

    async def main():
        client = ControlCenterClient(publisher, limiter=Unlimited())
        async with client as center:
            return await center.control("stop", [agent])

    [result] = run_loop(main())
    assert (result.ok, result.reason) == (False, REASONS[-1042])


def test_restart_is_followed_to_a_new_start(publisher):
    agent = platforms.profile_of("cup8").sync_agent

    async def main():
        client = ControlCenterClient(publisher, limiter=Unlimited())
        async with client as center:
            before = {x.name: x for x in await center.statuses()}
            # Start times have whole seconds.
            await asyncio.sleep(1.1)
            await center.control("restart", [agent])
            [after] = await center.follow(
                [agent], "started", 10, poll=0.1, before=before
            )
            return before[agent], after

    before, after = run_loop(main())
    assert after.status == "started"
    assert after.start_time != before.start_time


def test_service_that_never_starts_is_followed_until_the_deadline(publisher, cluster):
    agent = platforms.profile_of("cup8").sync_agent

    async def main():
        client = ControlCenterClient(publisher, limiter=Unlimited())
        async with client as center:
            cluster.set_fault("control_center", "stuck")
            await center.control("restart", [agent])
            return await center.follow([agent], "started", 1.5, poll=0.2)

    [status] = run_loop(main())
    cluster.clear_faults()
    cluster.publisher.service(agent).set("Started")
    assert status.status in ("starting", "stopping")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("changed", Code.CERTIFICATE_CHANGED),
        ("legacy", Code.TLS),
        ("stall", Code.TIMEOUT),
        ("plain", Code.TLS),
        ("reset", Code.CLOSED),
    ],
)
def test_tls_fault_has_its_code(publisher, cluster, fault, code):
    cluster.set_fault("tls", fault)
    error = code_of(probe(publisher, patience(code)))
    assert error.code is code
    assert not error.outcome_unknown


def test_legacy_node_is_reached_with_its_pin(publisher, cluster):
    cluster.set_fault("tls", "legacy")

    async def main():
        seen = await fetch_certificate(
            publisher.address, publisher.axl_port, publisher.policy, legacy=True
        )
        trust = Trust(fingerprint=seen.fingerprint, legacy=True)
        return seen, await probe(dataclasses.replace(publisher, trust=trust))

    seen, count = run_loop(main())
    assert count == 1
    assert (seen.tls_version, seen.key_bits) == ("TLSv1", 1024)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"trust": Trust()}, Code.CERTIFICATE_UNKNOWN),
        ({"trust": Trust(ca_pem="x")}, Code.CERTIFICATE_INVALID),
        ({"password": Secret("wrong")}, Code.UNAUTHORIZED),
        ({"username": "a:b"}, Code.VALUE),
        ({"axl_port": 8444}, Code.REFUSED),
        ({"policy": Policy()}, Code.POLICY),
        ({"address": "255.255.255.255"}, Code.POLICY),
        ({"address": "cup1:8443"}, Code.ADDRESS),
        ({"address": "nowhere.lab.example"}, Code.UNRESOLVABLE),
        ({"axl_port": 5060}, Code.TIMEOUT),
    ],
)
def test_wrong_setting_has_its_code(publisher, changes, code):
    node = dataclasses.replace(publisher, **changes)
    assert code_of(probe(node, patience(code))).code is code


def test_node_that_is_down_refuses(publisher, cluster):
    cluster.set_fault("node", "down")
    assert code_of(probe(publisher)).code is Code.REFUSED


def test_plain_http_on_the_sip_port_is_no_sip(publisher, cluster):
    cluster.set_fault("tls", "plain")
    error = code_of(
        send_options(publisher, "TCP", port=publisher.axl_port, deadline=20)
    )
    assert error.code in (Code.PROTOCOL, Code.CLOSED)


def test_mapping_that_differs_names_what_looks_alike(publisher):
    table = dataclasses.replace(TABLE, table="interclusterpeer")

    async def main():
        async with AxlClient(publisher) as axl:
            await PeerTableClient(axl, table).verify()

    error = code_of(main())
    assert error.code is Code.CATALOGUE
    assert "cupsinterclusterpeers" in error.message


def test_mapping_with_a_missing_column_names_it(publisher):
    columns = {**TABLE.columns, "protocol": "transport"}

    async def main():
        async with AxlClient(publisher) as axl:
            await PeerTableClient(
                axl, dataclasses.replace(TABLE, columns=columns)
            ).verify()

    assert "transport" in code_of(main()).message


@pytest.mark.parametrize("status", [408, 503])
def test_proxy_that_cannot_serve_is_down(publisher, cluster, status):
    cluster.set_fault("sip", str(status))
    reply = run_loop(send_options(publisher, "TCP"))
    assert (reply.up, reply.status) == (False, status)


@pytest.mark.parametrize("status", [200, 401, 403, 404, 405, 420, 483])
def test_any_other_final_answer_is_up(publisher, cluster, status):
    cluster.set_fault("sip", str(status))
    reply = run_loop(send_options(publisher, "UDP"))
    assert (reply.up, reply.status) == (True, status)


@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS"])
def test_silent_proxy_times_out(publisher, cluster, transport):
    cluster.set_fault("sip", "silent")
    assert (
        code_of(send_options(publisher, transport, deadline=0.7)).code is Code.TIMEOUT
    )


def test_proxy_that_hangs_up_is_told(publisher, cluster):
    cluster.set_fault("sip", "reset")
    assert code_of(send_options(publisher, "TCP", deadline=20)).code is Code.CLOSED


@pytest.mark.parametrize("fault", ["silent", "slow:5", "nxdomain", "servfail"])
def test_dns_fault_is_unresolvable_in_time(publisher, cluster, fault):
    cluster.set_fault("dns", fault)
    error = code_of(resolve_host(publisher.name, publisher.policy, deadline=1))
    assert error.code is Code.UNRESOLVABLE
    assert error.retryable is (fault != "nxdomain")


def test_malformed_address_has_its_code():
    with pytest.raises(WireError) as caught:
        parse_host("a b")
    assert caught.value.code is Code.ADDRESS
