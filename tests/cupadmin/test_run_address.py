"""Where `run` listens, and what it says before anything is started."""

import socket

import pytest
from django.core.management.base import CommandError

from cupadmin.management.commands import run


def test_a_taken_port_is_named_as_taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CommandError) as taken:
            run.refuse_used_port("127.0.0.1", port)
    assert str(port) in str(taken.value)
    assert "PORT" in str(taken.value)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.invalid", "a..b", "x" * 70])
def test_an_address_of_elsewhere_is_no_taken_port(host):
    with pytest.raises(CommandError) as refused:
        run.refuse_used_port(host, 8000)
    assert host in str(refused.value)
    assert "PORT=" not in str(refused.value)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_it_listens_on_an_ipv6_address():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]
    run.refuse_used_port("::1", port)
    assert f"[::1]:{port}" in run.web_command("cupadmin.wsgi", "::1", port)


def test_an_ipv4_address_and_a_name_stay_as_they_are():
    assert run.host_and_port("127.0.0.1", 1) == "127.0.0.1:1"
    assert run.host_and_port("localhost", 1) == "localhost:1"
