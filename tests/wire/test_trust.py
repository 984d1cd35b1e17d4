"""Certificates of nodes: pins, authorities, dates, old TLS."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from wire import (
    AxlClient,
    Code,
    Policy,
    Trust,
    WireError,
    fetch_certificate,
    run_loop,
    send_options,
)


async def probe(node, **changes):
    async with AxlClient(dataclasses.replace(node, **changes)) as axl:
        return await axl.probe(deadline=20)


def presented(node, **how):
    return run_loop(fetch_certificate(node.address, node.axl_port, node.policy, **how))


def code_of(work):
    with pytest.raises(WireError) as caught:
        run_loop(work)
    return caught.value.code


def test_certificate_tells_its_days(publisher):
    seen = presented(publisher)
    assert seen.fingerprint == publisher.trust.fingerprint
    assert seen.names == (publisher.name, publisher.address)
    assert seen.days_left(datetime.now(UTC)) == 1824
    assert seen.days_left(seen.not_after + timedelta(hours=1)) == -1


def test_expired_certificate_tells_it(publisher, cluster):
    cluster.set_fault("tls", "expired")
    assert presented(publisher).days_left(datetime.now(UTC)) < 0


def test_expired_certificate_is_refused_by_an_authority(publisher, cluster):
    cluster.set_fault("tls", "expired")
    trust = Trust(ca_pem=presented(publisher).pem)
    with pytest.raises(WireError) as caught:
        run_loop(probe(publisher, trust=trust))
    assert caught.value.code is Code.CERTIFICATE_INVALID
    assert caught.value.detail == "certificate has expired"


def test_expired_certificate_is_what_was_confirmed(publisher, cluster):
    cluster.set_fault("tls", "expired")
    trust = Trust(fingerprint=presented(publisher).fingerprint)
    assert run_loop(probe(publisher, trust=trust)) == 1


def test_authority_of_another_cluster_does_not_vouch(publisher, wire_lab):
    other = wire_lab.clusters[0].publisher
    pem = run_loop(
        fetch_certificate(other.address, other.axl_port, publisher.policy)
    ).pem
    assert code_of(probe(publisher, trust=Trust(ca_pem=pem))) is (
        Code.CERTIFICATE_INVALID
    )


def test_old_tls_without_a_pin_sends_nothing(publisher, cluster):
    cluster.set_fault("tls", "legacy")
    cluster.publisher.calls.clear()
    assert code_of(probe(publisher, trust=Trust(legacy=True))) is (
        Code.CERTIFICATE_UNKNOWN
    )
    assert not cluster.publisher.calls


def test_old_tls_with_another_pin_sends_nothing(publisher, cluster):
    cluster.set_fault("tls", "legacy")
    cluster.publisher.calls.clear()
    trust = dataclasses.replace(publisher.trust, legacy=True)
    assert code_of(probe(publisher, trust=trust)) is Code.CERTIFICATE_CHANGED
    assert not cluster.publisher.calls


def test_old_tls_needs_the_mark_of_its_cluster(publisher, cluster):
    cluster.set_fault("tls", "legacy")
    trust = Trust(fingerprint=presented(publisher, legacy=True).fingerprint)
    assert code_of(probe(publisher, trust=trust)) is Code.TLS
    marked = dataclasses.replace(trust, legacy=True)
    assert run_loop(probe(publisher, trust=marked)) == 1


def test_changed_certificate_is_confirmed_by_its_new_pin(publisher, cluster):
    cluster.set_fault("tls", "changed")
    assert code_of(probe(publisher)) is Code.CERTIFICATE_CHANGED
    trust = Trust(fingerprint=presented(publisher).fingerprint)
    assert run_loop(probe(publisher, trust=trust)) == 1


def test_policy_is_asked_before_any_connection(publisher, cluster):
    narrow = Policy(publisher.policy.networks, frozenset({443}))
    assert code_of(probe(publisher, policy=narrow)) is Code.POLICY
    fetched = fetch_certificate(publisher.address, publisher.axl_port, Policy())
    assert code_of(fetched) is Code.POLICY
    for transport in ("UDP", "TCP", "TLS"):
        requested = dataclasses.replace(publisher, policy=Policy())
        assert code_of(send_options(requested, transport)) is Code.POLICY


def test_name_that_leads_to_a_forbidden_address_is_refused(publisher):
    narrow = dataclasses.replace(publisher.policy, networks=())
    assert code_of(probe(publisher, address=publisher.name, policy=narrow)) is (
        Code.POLICY
    )
