import dataclasses
import ipaddress

import pytest

from lab import Lab
from tests.wire.conftest import address_of
from wire import (
    Code,
    WireError,
    connect_time,
    resolve_host,
    reverse_names,
    run_loop,
    send_options,
)


@pytest.fixture(scope="module")
def three_nodes():
    with Lab(clusters=1, nodes=3, users=(1,), network="auto", service_delay=0) as lab:
        yield lab


@pytest.fixture
def cup(three_nodes):
    yield three_nodes.clusters[0]
    three_nodes.clear_faults()


@pytest.fixture
def policy(three_nodes):
    return address_of(three_nodes).policy


def test_address_needs_no_server(policy):
    deaf = dataclasses.replace(policy, dns_servers=("127.0.0.1:9",))
    assert run_loop(resolve_host("127.0.0.7", deaf)).addresses == ("127.0.0.7",)


def test_node_name_leads_to_its_address(cup, policy):
    found = run_loop(resolve_host(cup.publisher.name, policy))
    assert found.addresses == (cup.publisher.address,)
    assert not found.is_srv


@pytest.mark.parametrize("prefix", ["", "_sip._tcp.", "_sip._udp.", "_sips._tcp."])
def test_srv_name_gives_every_target_by_priority_and_weight(cup, policy, prefix):
    found = run_loop(resolve_host(prefix + cup.service_name, policy))
    publisher, light, heavy = cup.nodes
    assert [x.host for x in found.targets] == [publisher.name, heavy.name, light.name]
    assert [(x.priority, x.weight) for x in found.targets] == [
        (1, 10),
        (2, 30),
        (2, 20),
    ]
    assert found.addresses == (publisher.address, heavy.address, light.address)


def test_srv_target_has_the_port_of_its_service(cup, policy):
    plain = run_loop(resolve_host(f"_sip._tcp.{cup.service_name}", policy)).targets[0]
    secure = run_loop(resolve_host(f"_sips._tcp.{cup.service_name}", policy)).targets[0]
    assert (plain.port, secure.port) == (5060, 5061)


def test_target_without_an_address_is_still_told(cup, policy):
    cup.nodes[2].set_fault("dns", "nxdomain")
    targets = run_loop(resolve_host(cup.service_name, policy)).targets
    assert [bool(x.addresses) for x in targets] == [True, False, True]


def test_one_target_outside_the_policy_refuses_the_srv_name(cup, policy):
    only = ipaddress.ip_network(cup.publisher.address)
    narrow = dataclasses.replace(policy, networks=(only,))
    assert run_loop(resolve_host(cup.publisher.name, narrow)).addresses
    with pytest.raises(WireError) as caught:
        run_loop(resolve_host(cup.service_name, narrow))
    assert caught.value.code is Code.POLICY


def test_node_is_reached_by_its_srv_name(three_nodes, cup):
    node = dataclasses.replace(address_of(three_nodes), address=cup.service_name)
    assert run_loop(send_options(node, "TCP")).up
    assert run_loop(connect_time(cup.service_name, 8443, node.policy)) >= 0


def test_next_target_is_dialled_when_the_first_is_down(three_nodes, cup):
    node = dataclasses.replace(address_of(three_nodes), address=cup.service_name)
    cup.publisher.set_fault("node", "down")
    assert run_loop(send_options(node, "TCP")).up


def test_reverse_look_up_names_the_node(cup, policy):
    assert run_loop(reverse_names(cup.publisher.address, policy)) == (
        cup.publisher.name,
    )


def test_missing_pointer_is_no_name(cup, policy):
    cup.set_fault("dns", "no-ptr")
    assert run_loop(reverse_names(cup.publisher.address, policy)) == ()


def test_reverse_look_up_of_a_name_is_refused(policy):
    with pytest.raises(WireError) as caught:
        run_loop(reverse_names("cup1.lab.example", policy))
    assert caught.value.code is Code.ADDRESS


@pytest.mark.parametrize("kind", ["name", "service_name"])
def test_slow_look_up_says_how_slow_it_was(cup, policy, kind):
    name = cup.publisher.name if kind == "name" else cup.service_name
    cup.set_fault("dns", "slow:0.3")
    assert run_loop(resolve_host(name, policy)).duration_ms >= 300


def test_silent_server_before_a_good_one_delays_and_is_survived(cup, policy):
    servers = ("127.0.0.1:9", *policy.dns_servers)
    late = dataclasses.replace(policy, dns_servers=servers)
    assert run_loop(resolve_host(cup.publisher.name, late)).addresses
