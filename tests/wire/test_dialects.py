"""What the generations say differently, and what all of them do when unwell."""

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
    Secret,
    Trust,
    Unlimited,
    WireError,
    fetch_certificate,
    platforms,
    run_loop,
    send_options,
    sql,
)

QUICK = Backoff(first=0.01, most=0.02)
VALUES = PeerValues("ic", "TCP", "", Secret("open sesame"))


async def probe(node, deadline=30, backoff=QUICK):
    async with AxlClient(node, backoff=backoff) as axl:
        return await axl.probe(deadline=deadline)


async def names(node):
    async with AxlClient(node) as axl:
        query = sql.build_query("enterprise_nodes")
        return [row["name"] async for row in axl.rows(query)]


async def statuses(node, deadline=30, backoff=QUICK):
    client = ControlCenterClient(node, limiter=Unlimited(), backoff=backoff)
    async with client as center:
        return await center.statuses(deadline=deadline)


def peers(axl):
    mapping = platforms.profile_of(axl.node.generation).peer_table
    return PeerTableClient(axl, PeerTable.from_dict(mapping))


@pytest.fixture
def settled_node(any_node, any_cluster):
    """The node as the console knows it once discovery has been there."""
    release = any_cluster.release
    return dataclasses.replace(
        any_node,
        axl_version=release.schemas[-1],
        control_center=release.control_centers[0],
    )


def code_of(work):
    with pytest.raises(WireError) as caught:
        run_loop(work)
    return caught.value.code


def heard(cluster):
    return [call.status for call in cluster.publisher.calls]


def test_refused_version_is_negotiated_and_then_remembered(any_node, any_cluster):
    async def settled(version):
        node = dataclasses.replace(any_node, axl_version=version)
        async with AxlClient(node) as axl:
            await axl.probe()
            return axl.axl_version

    spoken = run_loop(settled("2.0"))
    assert heard(any_cluster) == [599, 200]
    assert run_loop(settled(spoken)) == spoken
    assert heard(any_cluster) == [599, 200, 200]


def test_write_is_not_repeated_in_another_version(any_node, any_cluster):
    async def main():
        async with AxlClient(any_node) as axl:
            await axl.probe()
            any_cluster.set_fault("axl", "versions:2.0")
            await peers(axl).insert("10.7.7.7", VALUES)

    assert code_of(main()) is Code.VERSION
    calls = any_cluster.publisher.calls
    updates = [x.status for x in calls if x.operation == "executeSQLUpdate"]
    assert updates == [599]
    assert any_cluster.peers() == []


def test_zero_rows_are_no_peers(any_node):
    async def main():
        async with AxlClient(any_node) as axl:
            return await peers(axl).read()

    assert run_loop(main()) == []


def test_children_are_read_in_any_order(any_node, any_cluster):
    straight = run_loop(statuses(any_node))
    any_cluster.set_fault("axl", "reversed")
    any_cluster.set_fault("control_center", "reversed")
    backwards = run_loop(statuses(any_node))
    assert {(x.name, x.status) for x in backwards} == {
        (x.name, x.status) for x in straight
    }
    assert run_loop(names(any_node)) == [any_node.name]


def test_fault_is_read_in_any_order(any_node, any_cluster):
    any_cluster.set_fault("axl", "error:-206")
    with pytest.raises(WireError) as caught:
        run_loop(probe(any_node))
    assert caught.value.detail == "-206 A database error occurred."


def test_version_may_be_absent(any_node, any_cluster):
    any_cluster.set_fault("axl", "no-version")

    async def main():
        async with AxlClient(any_node) as axl:
            return await axl.version()

    assert run_loop(main()) is None


def test_login_is_reused(settled_node, any_cluster):
    async def main():
        async with AxlClient(settled_node) as axl:
            await axl.probe()
            await axl.probe()

    run_loop(main())
    users = [call.user for call in any_cluster.publisher.calls]
    assert users == [settled_node.username, "(session)"]


@pytest.mark.parametrize(
    ("fault", "status"),
    [("html-401*1", 401), ("html-403*1", 403), ("stale-session", 404)],
)
def test_stale_login_is_renewed(settled_node, any_cluster, fault, status):
    async def main():
        async with AxlClient(settled_node) as axl:
            await axl.probe()
            any_cluster.set_fault("axl", fault)
            return await axl.probe()

    assert run_loop(main()) in (1, 2)
    assert heard(any_cluster) == [200, status, 200]


def test_control_center_that_is_starting_is_waited_for(settled_node, any_cluster):
    any_cluster.set_fault("control_center", "html-503*1")
    assert run_loop(statuses(settled_node))
    assert heard(any_cluster)[-2:] == [503, 200]


@pytest.mark.parametrize("fault", ["html-503*2", "memory*2", "throttle*2"])
def test_passing_throttle_of_axl_is_waited_out(settled_node, any_cluster, fault):
    any_cluster.set_fault("axl", fault)
    run_loop(probe(settled_node))
    status = 503 if fault.startswith("html") else 500
    assert heard(any_cluster) == [status, status, 200]


@pytest.mark.parametrize(
    ("fault", "code"),
    [("html-503", Code.UNAVAILABLE), ("memory", Code.THROTTLED)],
)
def test_lasting_throttle_is_given_up_before_the_deadline(
    settled_node, any_cluster, fault, code
):
    any_cluster.set_fault("axl", fault)
    assert code_of(probe(settled_node, 1, Backoff())) is code
    assert len(heard(any_cluster)) == 1


def test_rate_fault_of_the_control_center_is_waited_out(settled_node, any_cluster):
    any_cluster.set_fault("control_center", "throttle*2")
    assert run_loop(statuses(settled_node))
    assert heard(any_cluster)[-3:] == [500, 500, 200]


def test_lasting_rate_fault_is_given_up_before_the_deadline(settled_node, any_cluster):
    any_cluster.set_fault("control_center", "rate:0")
    assert code_of(statuses(settled_node, 2, Backoff(first=30))) is Code.THROTTLED


@pytest.mark.parametrize("style", ["multiref", "inline"])
def test_legacy_control_center_is_read_in_both_styles(any_node, any_cluster, style):
    plain = run_loop(statuses(any_node))
    any_cluster.set_fault("control_center", style)
    node = dataclasses.replace(any_node, control_center="legacy")
    legacy = run_loop(statuses(node))
    assert [(x.name, x.status) for x in legacy] == [(x.name, x.status) for x in plain]


def test_bytes_that_are_no_utf_8_arrive_marked(any_node, any_cluster):
    any_cluster.set_fault("axl", "latin1")
    assert run_loop(names(any_node)) == [f"{any_node.name}\ufffd\ufffd"]


def test_large_result_is_read_in_pages(any_node, any_cluster):
    any_cluster.set_fault("axl", "too-large:7")

    async def main():
        async with AxlClient(any_node) as axl:
            return [row["userid"] async for row in axl.rows(sql.build_query("users"))]

    users = run_loop(main())
    assert len(users) == len(set(users)) == 25


def test_authority_is_checked_by_name_while_an_address_is_dialled(any_node):
    async def by_authority(**changes):
        seen = await fetch_certificate(
            any_node.address, any_node.axl_port, any_node.policy
        )
        trust = Trust(ca_pem=seen.pem)
        return await probe(dataclasses.replace(any_node, trust=trust, **changes))

    assert run_loop(by_authority()) in (1, 2)
    assert code_of(by_authority(name="else.lab.example")) is Code.CERTIFICATE_INVALID


def test_changed_certificate_stops_every_call_to_the_node(any_node, any_cluster):
    any_cluster.set_fault("tls", "changed")
    assert code_of(probe(any_node)) is Code.CERTIFICATE_CHANGED
    assert code_of(statuses(any_node)) is Code.CERTIFICATE_CHANGED
    assert heard(any_cluster) == []


def test_lost_datagram_is_sent_again(any_node, any_cluster):
    any_cluster.set_fault("sip", "silent*1")
    reply = run_loop(send_options(any_node, "UDP"))
    assert (reply.up, reply.status) == (True, 200)
    assert any_cluster.publisher.faults.get("sip") is None
