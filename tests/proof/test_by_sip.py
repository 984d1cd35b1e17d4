"""Proofs over SIP in the lab: the same damage has the same names."""

import pytest

from accounts.audit import CONSOLE
from presence import ProofInterface
from proof import canaries, pairs, proving
from proof.models import Canary
from tests.proof.test_proving import (
    agent_stopped,
    blocked_watcher,
    dns,
    no_entry_back,
    proxy_down,
    user_not_synced,
    wrong_domain,
    wrong_protocol,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_sip(pair):
    for cluster, there in zip(pair.clusters, pair.there, strict=True):
        given = {"way": Canary.Way.SIP, "digest_password": there.user_password}
        canaries.save_canary(cluster, given, CONSOLE)
    return pair


def proven(pair, n=0):
    peer = pairs.with_canaries(pair.peers[n].pk)
    return proving.prove_direction(peer, *pairs.pair_of(peer))


@pytest.mark.parametrize("protocol", ["TCP", "UDP"])
def test_presence_arrives_and_the_rewritten_host_is_shown(by_sip, protocol):
    by_sip.peers[0].protocol = protocol
    by_sip.peers[0].save()
    proof = proven(by_sip)
    assert (proof.outcome, proof.stage, proof.way) == ("passed", "arrived", "sip")
    assert proof.rewritten_to == by_sip.there[1].publisher.address
    assert by_sip.there[1].availability.states == {}


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (agent_stopped, "agent_stopped"),
        (no_entry_back, "no_matching_entry"),
        (wrong_protocol, "wrong_protocol"),
        (proxy_down, "proxy_down"),
        (user_not_synced, "user_not_synced"),
        (wrong_domain, "wrong_domain"),
        (blocked_watcher, "blocked"),
        (dns, "dns"),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_each_broken_peering_is_named(by_sip, damage, code):
    damage(by_sip)
    proof = proven(by_sip)
    assert proof.code == code
    assert proof.outcome == ("warning" if code == "blocked" else "failed")


def test_wrong_digest_credentials_say_nothing_about_presence(by_sip):
    canaries.save_canary(by_sip.clusters[0], {"digest_password": "wrong"}, CONSOLE)
    proof = proven(by_sip)
    assert (proof.outcome, proof.code) == ("unknown", "presence_digest")


def test_a_cluster_of_7_uses_sip(cluster_factory):
    cluster = cluster_factory(generation="cup7")
    assert Canary(cluster=cluster).interface is ProofInterface.SIP
    newer = Canary(cluster=cluster_factory(generation="cup8"))
    assert newer.interface is ProofInterface.PWS
