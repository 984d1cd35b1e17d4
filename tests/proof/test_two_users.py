"""A cluster with two canary users: the second watches, the first is watched."""

import pytest

from accounts.audit import CONSOLE
from presence import ProofInterface
from proof import canaries, pairs, proving
from proof.models import Canary, PresenceCertificate

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_users(pair):
    for cluster, there in zip(pair.clusters, pair.there, strict=True):
        given = {"watcher_userid": there.users()[1]}
        canaries.save_canary(cluster, given, CONSOLE)
    return pair


def proven(pair, n=0):
    peer = pairs.with_canaries(pair.peers[n].pk)
    return proving.prove_direction(peer, *pairs.pair_of(peer))


def test_the_second_user_watches_and_the_first_is_watched(two_users):
    proof = proven(two_users)
    assert (proof.outcome, proof.stage) == ("passed", "arrived")
    home, remote = two_users.there
    asked = [call.path for call in home.publisher.calls if "subscriptions" in call.path]
    assert asked
    assert all(f"/users/{home.users()[1]}/" in path for path in asked)
    signed_in = [call.path for call in remote.publisher.calls]
    assert not [path for path in signed_in if f"/users/{remote.users()[1]}/" in path]


def test_each_user_has_its_home_node(two_users):
    proven(two_users)
    home, remote = (Canary.objects.get(pk=one.pk) for one in two_users.clusters)
    assert (home.home_node, remote.watcher_home_node) == (None, None)
    assert home.watcher_home_node == two_users.clusters[0].publisher
    assert remote.home_node == two_users.clusters[1].publisher


def test_the_verdict_names_the_second_user(two_users):
    canaries.save_canary(two_users.clusters[0], {"watcher_userid": "nobody"}, CONSOLE)
    proof = proven(two_users)
    assert (proof.outcome, proof.code) == ("unknown", "presence_user")
    assert proof.problem.startswith("nobody ")


def test_each_user_has_its_own_digest_credentials(two_users):
    for cluster, there in zip(two_users.clusters, two_users.there, strict=True):
        given = {
            "way": ProofInterface.SIP,
            "digest_password": there.user_password,
            "watcher_digest_password": "wrong",
        }
        canaries.save_canary(cluster, given, CONSOLE)
    assert proven(two_users).code == "presence_digest"
    for cluster, there in zip(two_users.clusters, two_users.there, strict=True):
        given = {"watcher_digest_password": there.user_password}
        canaries.save_canary(cluster, given, CONSOLE)
    assert proven(two_users).outcome == "passed"


def test_over_xmpp_a_missing_password_says_so(two_users):
    for cluster in two_users.clusters:
        canaries.save_canary(cluster, {"way": ProofInterface.XMPP}, CONSOLE)
    proof = proven(two_users)
    assert (proof.outcome, proof.way) == ("unknown", "xmpp")
    assert "XMPP password" in proof.problem


def test_over_xmpp_a_certificate_of_its_own_is_confirmed(two_users):
    for cluster in two_users.clusters:
        given = {
            "way": ProofInterface.XMPP,
            "xmpp_password": "x",
            "watcher_xmpp_password": "x",
        }
        canaries.save_canary(cluster, given, CONSOLE)
    assert PresenceCertificate.objects.filter(kind="cup").count() == 2
    proof = proven(two_users)
    if proof.code == "presence_xmpp_missing":
        pytest.skip("slixmpp is not installed")
    assert proof.code == "certificate_unknown"
    assert "cup-xmpp" in proof.solution
