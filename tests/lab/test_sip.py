import ssl

import pytest

from .client import context, options


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_options_are_answered(cluster, transport):
    answer = options(cluster.publisher, transport)
    assert answer.startswith("SIP/2.0 200 OK\r\n")
    assert "Call-ID: one@lab" in answer and "branch=z9hG4bKx" in answer


def test_rport_is_filled_in(imp):
    answer = options(imp.publisher)
    assert ";rport=" in answer and "received=127.0.0.1" in answer


def test_options_are_answered_over_tls(imp):
    node = imp.publisher
    answer = options(node, "TLS", tls=context(), port=node.sip_tls_port)
    assert answer.startswith("SIP/2.0 200")


def test_peer_authentication_refuses_who_has_no_certificate(imp):
    node = imp.publisher
    with pytest.raises(ssl.SSLError, match="alert"):
        options(node, "TLS", tls=context(), port=node.sip_peer_tls_port)


def test_peer_authentication_accepts_another_node(imp, cup8):
    node = imp.publisher
    known = context()
    known.load_cert_chain(cup8.publisher.presented_path)
    answer = options(node, "TLS", tls=known, port=node.sip_peer_tls_port)
    assert answer.startswith("SIP/2.0 200")


@pytest.mark.parametrize("status", [403, 408, 483, 503])
def test_any_status_can_be_had(imp, status):
    imp.publisher.set_fault("sip", str(status))
    assert options(imp.publisher).startswith(f"SIP/2.0 {status} ")


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_the_proxy_can_be_silent(imp, transport):
    imp.publisher.set_fault("sip", "silent")
    assert options(imp.publisher, transport, timeout=0.3) == ""


def test_the_first_datagrams_can_be_lost(imp):
    imp.publisher.set_fault("sip", "silent*1")
    assert options(imp.publisher, timeout=0.3) == ""
    assert options(imp.publisher).startswith("SIP/2.0 200")


def test_a_connection_can_be_reset(imp):
    imp.publisher.set_fault("sip", "reset")
    with pytest.raises(ConnectionResetError):
        options(imp.publisher, "TCP")


def test_a_stopped_proxy_does_not_answer(imp):
    imp.publisher.service("Cisco SIP Proxy").set("Stopped")
    assert options(imp.publisher, timeout=0.3) == ""
