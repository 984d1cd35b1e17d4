"""Causes that are rare: what hangs on another one, and what stands for itself."""

import pytest
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster
from diagnostics.models import TroubleshooterResult
from mesh.models import ObservedPeerTable
from peers.models import Peer
from proof.models import Canary, Proof
from tests.directory.conftest import has, of, own_folder
from tests.overview.test_sources import labels, peers_of, run_with

__all__ = ["has", "own_folder"]

LOCAL, REMOTE_AGENT = "sync_agent_local", "sync_agent_remote"


@pytest.mark.parametrize(
    "code", [LOCAL, REMOTE_AGENT, "provisioned", "reverse_peer", "protocol_match"]
)
def test_entry_that_failed_without_a_cause_is_one(pair, only, code):
    pair.set(pair.there, (code, "failed", "It is so.", "/x/"))
    found = only()
    assert (found.code, found.severity) == (f"peer_{code}", "failed")
    # Its sentence names the peer, unless the check's own does.
    assert found.sentence == f"{pair.there.address} on cup1: It is so."
    assert found.fix_url == "/x/"
    assert peers_of(found) == {str(pair.there.pk)}


def test_protocols_that_differ_are_one_problem_of_both_directions(pair, only):
    for peer in (pair.there, pair.back):
        pair.set(peer, ("protocol_match",))
    found = only()
    assert found.code == "peer_protocol_match"
    assert peers_of(found) == {str(pair.there.pk), str(pair.back.pk)}


def test_protocol_of_a_table_that_cannot_be_read_hangs_on_the_table(pair, only):
    entries = ("provisioned", "unknown"), ("protocol_match", "unknown")
    pair.set(pair.there, *entries, outcome="unknown")
    assert only().code == "peers_unread"


def test_agent_of_a_cluster_that_was_deleted_since_is_a_cause(pair, only):
    peer = Peer(cluster=pair.home, address="far.example.net", outcome="failed")
    peer.provisioning_state, peer.checked_at = "applied", timezone.now()
    peer.save()
    pair.set(peer, (REMOTE_AGENT,))
    found = only()
    assert (found.code, found.severity) == (f"peer_{REMOTE_AGENT}", "failed")
    assert peers_of(found) == {str(peer.pk)}


@pytest.mark.parametrize(
    ("outcome", "page"), [("failed", "peers:resync"), ("unknown", "peers:edit_peer")]
)
def test_numbers_that_are_not_known_need_no_resync(pair, only, outcome, page):
    pair.set(pair.there, ("associated_users", outcome), outcome=outcome)
    found = only()
    assert (found.code, found.severity) == ("peer_associated_users", outcome)
    assert found.fix_url == reverse(page, args=[pair.there.pk])


def test_nodes_of_a_ca_need_no_confirmed_certificate(pair, problems):
    pair.node(certificate_state="unknown")
    assert [one.code for one in problems()] == ["certificate_unconfirmed"]
    Cluster.objects.filter(pk=pair.remote.pk).update(tls_mode="ca")
    assert problems() == []


@pytest.mark.parametrize(
    ("contact", "code", "severity"),
    [
        ("certificate_changed", "certificate_changed", "failed"),
        ("certificate_unknown", "certificate_unconfirmed", "warning"),
    ],
)
def test_certificate_that_the_last_contact_found(pair, only, contact, code, severity):
    pair.node(contact_code=contact)
    found = only()
    assert (found.code, found.severity) == (code, severity)
    page = reverse("clusters:certificate", args=[pair.remote.publisher.pk])
    assert found.fix_url == page


def test_entry_without_an_address_cannot_be_adopted(pair, only):
    rows = [["", "user", "TCP", ""]]
    ObservedPeerTable.objects.create(
        cluster=pair.home, entries=rows, read_at=timezone.now()
    )
    assert (only().code, only().fix_url) == ("entry_unmanaged", reverse("mesh:matrix"))


def test_result_about_a_node_that_cannot_be_used_is_none_of_its_own(pair, only):
    run_with(pair, "response_time", "warning")
    assert only().code == "test_response_time"
    pair.node(contact_code="timeout")
    assert only().code == "node_unreachable"


def test_sip_that_a_peer_sees_is_not_taken_from_a_run(pair, only):
    run_with(pair, "sip_answers")
    assert only().code == "test_sip_answers"
    pair.set(pair.there, ("sip",))
    assert only().code == "peer_sip"


def test_result_about_a_peer_affects_the_peer(pair, only):
    TroubleshooterResult.objects.create(
        run=run_with(pair, code=""),
        position=1,
        code="stale_sync",
        description="A test",
        outcome="failed",
        problem="It fails.",
        cluster=pair.home,
        cluster_name="cup1",
        peer=pair.there,
        peer_address=pair.there.address,
    )
    found = only()
    assert found.code == "test_stale_sync"
    assert peers_of(found) == {str(pair.there.pk)}
    assert labels(found) == {("peer", f"{pair.there.address} on cup1")}


@pytest.mark.parametrize(
    ("outcome", "codes"),
    [("failed", {"peer_sip"}), ("unknown", {"peer_sip", "peer_presence"})],
)
def test_failed_proof_of_a_peer_with_a_cause_is_none(pair, problems, outcome, codes):
    for cluster in (pair.home, pair.remote):
        Canary.objects.create(pk=cluster.pk, userid="anna")
    given = {"stage": "subscribed", "way": "pws", "problem": "Nothing came."}
    at = timezone.now()
    Proof.objects.create(peer=pair.there, at=at, outcome=outcome, **given)
    assert {one.code for one in problems()} == {"peer_presence"}
    pair.set(pair.there, ("sip",))
    assert {one.code for one in problems()} == codes


@pytest.mark.parametrize(
    ("users", "count"), [(["bob"], "1 value"), (["bob", "eve"], "2 values")]
)
def test_users_of_two_clusters_are_one_problem(pair, has, only, users, count):
    """Their URIs and mail IDs are shared as well, which is no problem of its own."""
    has(pair.home, *of(pair.home, "ada", *users))
    has(pair.remote, *of(pair.remote, *users), *of(pair.home, "ada"))
    found = only()
    assert (found.code, found.severity) == ("duplicate_userids", "failed")
    assert f"{count} " in found.sentence


def test_mail_of_two_users_of_two_clusters_is_a_warning(pair, has, only):
    (ada,), (bob,) = of(pair.home, "ada"), of(pair.remote, "bob")
    has(pair.home, ada)
    has(pair.remote, bob._replace(mail_id=ada.mail_id))
    assert (only().code, only().severity) == ("duplicate_mails", "warning")


def test_users_who_share_a_mail_on_one_cluster_are_none_of_several(pair, has, problems):
    ada, bob = of(pair.home, "ada", "bob")
    has(pair.home, ada, bob._replace(mail_id=ada.mail_id))
    has(pair.remote)
    assert problems() == []
