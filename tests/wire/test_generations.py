import dataclasses

import pytest

from wire import (
    AxlClient,
    ControlCenterClient,
    PeerTable,
    PeerTableClient,
    PeerValues,
    Secret,
    Unlimited,
    WireError,
    platforms,
    run_loop,
    send_options,
    sql,
)
from wire.versions import KNOWN


def control_center(node):
    return ControlCenterClient(node, limiter=Unlimited())


def test_probe_counts_publishers(any_node):
    async def main():
        async with AxlClient(any_node) as axl:
            return await axl.probe()

    assert run_loop(main()) in (1, 2)


def test_node_of_unknown_generation_settles_on_a_version(any_node):
    async def main():
        async with AxlClient(dataclasses.replace(any_node, generation=None)) as axl:
            await axl.probe()
            return axl.axl_version, await axl.version()

    spoken, version = run_loop(main())
    assert spoken in KNOWN
    assert platforms.generation_of(version) == any_node.generation


def test_every_template_finds_its_tables(any_node):
    profile = platforms.profile_of(any_node.generation)
    plain = [name for name, x in profile.sql.items() if "{" not in x.text]

    async def main():
        async with AxlClient(any_node) as axl:
            for name in plain:
                async for row in axl.rows(sql.build_query(name, profile)):
                    columns[name] = set(row)

    columns: dict[str, set[str]] = {}
    run_loop(main())
    assert {"userid", "nodename", "tkuserprofile"} <= columns["users"]
    assert {"name", "tknodeusage"} <= columns["process_nodes"]


def test_users_arrive_once_each(any_node):
    async def main():
        async with AxlClient(any_node) as axl:
            return [row["userid"] async for row in axl.rows(sql.build_query("users"))]

    users = run_loop(main())
    assert len(users) == len(set(users)) == 25


def test_clock_of_the_node_is_noticed(any_node):
    async def main():
        async with AxlClient(any_node) as axl:
            await axl.probe()
            return axl.date_offset

    assert abs(run_loop(main())) < 60


def test_peer_is_written_read_renamed_and_deleted(any_node):
    table = PeerTable.from_dict(platforms.profile_of(any_node.generation).peer_table)
    seen = []

    async def main():
        async with AxlClient(any_node) as axl:
            peers = PeerTableClient(axl, table)
            await peers.verify()
            await peers.insert("10.9.9.9", PeerValues("ic", "TCP", "", Secret("it's")))
            seen.append(await peers.password_matches("10.9.9.9", Secret("it's")))
            await peers.update(
                "10.9.9.9", PeerValues("ic2", "TLS"), renamed="b.example"
            )
            seen.extend(await peers.read())
            seen.append(await peers.password_matches("b.example", Secret("other")))
            return await peers.delete("b.example")

    assert run_loop(main()) == 1
    matched, entry, other = seen
    assert (matched, other) == (True, False)
    assert (entry.address, entry.username, entry.protocol) == (
        "b.example",
        "ic2",
        "TLS",
    )
    assert entry.has_password


def test_services_are_listed_with_their_state(any_node):
    agent = platforms.profile_of(any_node.generation).sync_agent

    async def main():
        async with control_center(any_node) as center:
            statuses = {x.name: x for x in await center.statuses()}
            infos = {x.name: x for x in await center.static_list()}
            return statuses[agent], infos[agent], center.control_center

    status, info, spoken = run_loop(main())
    assert status.status == "started"
    assert status.up_time > 0
    assert info.group
    assert spoken == ("legacy" if any_node.generation == "cup7" else "new")


def test_service_is_stopped_started_and_followed(any_node):
    agent = platforms.profile_of(any_node.generation).sync_agent

    async def main():
        async with control_center(any_node) as center:
            [stop] = await center.control("stop", [agent])
            [stopped] = await center.follow([agent], "stopped", 10, poll=0.1)
            [again] = await center.control("stop", [agent])
            await center.control("start", [agent])
            [started] = await center.follow([agent], "started", 10, poll=0.1)
            return stop, stopped, again, started

    stop, stopped, again, started = run_loop(main())
    assert stop.ok
    assert again.ok
    assert (stopped.status, stopped.up_time) == ("stopped", None)
    assert started.status == "started"


def test_unknown_service_is_told_in_words(any_node):
    async def main():
        async with control_center(any_node) as center:
            return await center.control("start", ["No Such Service"])

    [result] = run_loop(main())
    assert not result.ok
    assert result.reason == "no such service"


def test_products_name_the_active_version(any_node):
    async def main():
        async with control_center(any_node) as center:
            return await center.products()

    version = run_loop(main()).active_version
    assert platforms.generation_of(version) == any_node.generation


@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS"])
def test_proxy_answers_options(any_node, transport):
    reply = run_loop(send_options(any_node, transport))
    assert (reply.up, reply.status, reply.peer_auth_refused) == (True, 200, False)


def test_missing_client_certificate_is_not_down(any_node):
    reply = run_loop(send_options(any_node, "TLS", peer_auth=True))
    assert (reply.up, reply.peer_auth_refused) == (False, True)


def test_duplicate_peer_is_a_fault_with_the_database_s_code(any_node):
    table = PeerTable.from_dict(platforms.profile_of(any_node.generation).peer_table)

    async def main():
        async with AxlClient(any_node) as axl:
            peers = PeerTableClient(axl, table)
            values = PeerValues("ic", "TCP", "", Secret("open sesame"))
            await peers.insert("10.8.8.8", values)
            try:
                await peers.insert("10.8.8.8", values)
            finally:
                await peers.delete("10.8.8.8")

    with pytest.raises(WireError, match="fault") as caught:
        run_loop(main())
    assert caught.value.detail.startswith("-239")
    assert not caught.value.outcome_unknown
