import dns.message
import dns.query
import dns.rcode
import dns.resolver
import dns.reversename
import pytest


@pytest.fixture
def resolver(lab):
    host, port = lab.dns_address.split(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [host], int(port)
    resolver.lifetime = 0.4
    return resolver


def test_every_node_has_an_address_and_a_name(lab, resolver):
    for node in lab.nodes:
        assert resolver.resolve(node.name, "A")[0].address == node.address
        pointer = dns.reversename.from_address(node.address)
        assert resolver.resolve(pointer, "PTR")[0].to_text() == f"{node.name}."


@pytest.mark.parametrize("prefix", ["", "_sip._tcp.", "_sip._udp."])
def test_an_srv_name_leads_to_all_nodes_the_publisher_first(imp, resolver, prefix):
    answer = resolver.resolve(prefix + imp.service_name, "SRV")
    found = sorted((r.priority, r.target.to_text(), r.port) for r in answer)
    expected = [(n.role != "publisher", f"{n.name}.", 5060) for n in imp.nodes]
    assert [(p - 1, t, q) for p, t, q in found] == expected


def test_the_srv_name_has_no_address(imp, resolver):
    with pytest.raises(dns.resolver.NoAnswer):
        resolver.resolve(imp.service_name, "A")


def test_an_unknown_name_does_not_exist(resolver):
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver.resolve("nobody.lab.example", "A")


def test_tcp_is_answered_too(lab, imp):
    host, port = lab.dns_address.split(":")
    query = dns.message.make_query(imp.publisher.name, "A")
    answer = dns.query.tcp(query, host, port=int(port), timeout=60)
    assert imp.publisher.address in str(answer.answer[0])


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("silent", dns.resolver.LifetimeTimeout),
        ("slow:1", dns.resolver.LifetimeTimeout),
        ("nxdomain", dns.resolver.NXDOMAIN),
        ("servfail", dns.resolver.NoNameservers),
    ],
)
def test_names_of_a_node_can_fail(imp, resolver, value, error):
    imp.publisher.set_fault("dns", value)
    with pytest.raises(error):
        resolver.resolve(imp.publisher.name, "A")
    assert resolver.resolve(imp.subscribers[0].name, "A")


def test_a_reverse_entry_can_be_missing(imp, resolver):
    imp.set_fault("dns", "no-ptr")
    assert resolver.resolve(imp.publisher.name, "A")
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver.resolve(dns.reversename.from_address(imp.publisher.address), "PTR")


def test_the_whole_server_can_be_silent(lab, imp, resolver):
    lab.set_fault("dns", "silent")
    with pytest.raises(dns.resolver.LifetimeTimeout):
        resolver.resolve(imp.publisher.name, "A")
