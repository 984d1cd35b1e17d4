import ipaddress
import subprocess
import sys

import pytest

from wire import Code, NodeAddress, Policy, Secret, Trust, WireError

LAB = Policy(networks=(ipaddress.ip_network("127.20.0.0/16"),), ports=frozenset({8443}))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "169.254.1.1", "224.0.0.1", "0.0.0.0", "240.0.0.1", "::1", "::"]
    + ["fe80::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"],
)
def test_machine_and_link_addresses_are_refused_by_default(address):
    with pytest.raises(WireError) as caught:
        Policy().check(address)
    assert caught.value.code is Code.POLICY


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.1.1", "8.8.8.8", "fd00::1"])
def test_other_addresses_are_allowed_by_default(address):
    Policy().check(address, 12345)


def test_listed_network_allows_even_loopback():
    LAB.check("127.20.1.1", 8443)
    LAB.check("::ffff:127.20.1.1")


def test_address_outside_the_listed_networks_is_refused():
    assert not LAB.allows("10.1.2.3")


def test_port_outside_the_listed_ports_is_refused():
    with pytest.raises(WireError) as caught:
        LAB.check("127.20.1.1", 22)
    assert caught.value.code is Code.POLICY


@pytest.mark.parametrize(
    "values",
    [
        {"fingerprint": "AB" * 32},
        {"fingerprint": "ab:" * 32},
        {"fingerprint": "ab" * 32, "ca_pem": "x"},
        {"ca_pem": "x", "legacy": True},
    ],
)
def test_trust_that_makes_no_sense_is_refused(values):
    with pytest.raises(ValueError, match=r"[a-z]"):
        Trust(**values)


def test_node_address_does_not_show_its_password():
    node = NodeAddress("cup1", "10.0.0.1", password=Secret("open sesame"))
    assert "sesame" not in repr(node)


@pytest.mark.servers
def test_the_wire_imports_nothing_of_the_project():
    script = (
        "import sys, wire; wanted = {'django', 'peers', 'jobs', 'lab', 'celery'};"
        "print(*(wanted & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert (done.stdout.strip(), done.returncode) == (b"", 0)
