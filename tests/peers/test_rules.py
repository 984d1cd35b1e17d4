import pytest

from clusters import rules as cluster_rules
from clusters.models import Node
from peers import rules
from peers.models import Peer


@pytest.fixture
def madrid(cluster_factory):
    return cluster_factory("Madrid", user_sync="Completed")


@pytest.fixture
def oslo(cluster_factory):
    return cluster_factory("Oslo", user_sync="Completed")


def test_pair_of_equal_protocols_gives_no_warning(madrid, oslo, peer_factory):
    peer, _ = peer_factory(madrid, oslo), peer_factory(oslo, madrid)
    assert rules.peer_warnings(peer) == {}


def test_peer_to_a_subscriber_names_the_publisher(madrid, oslo, peer_factory):
    Node.objects.create(cluster=oslo, name="sub", address="10.1.1.9", role="subscriber")
    peer_factory(oslo, madrid)
    warnings = rules.peer_warnings(peer_factory(madrid, oslo, address="10.1.1.9"))
    assert warnings.keys() == {"publisher"}
    assert str(oslo.publisher) in warnings["publisher"]


def test_peer_to_an_unknown_cluster_says_what_cannot_be_checked(madrid):
    peer = Peer.objects.create(cluster=madrid, address="10.77.1.1")
    warnings = rules.peer_warnings(peer)
    assert warnings.keys() == {"known-remote"}
    assert "10.77.1.1" in warnings["known-remote"]


def test_home_publisher_without_confirmed_certificate_is_a_warning(
    madrid, oslo, peer_factory
):
    peer_factory(oslo, madrid)
    Node.objects.update(certificate_state="unknown")
    peer = peer_factory(madrid, oslo)
    assert broken(peer) == {"home-publisher"}
    assert str(madrid.publisher) in rules.home_publisher(peer)


def test_home_cluster_without_a_publisher_is_a_warning(madrid, oslo, peer_factory):
    peer, _ = peer_factory(madrid, oslo), peer_factory(oslo, madrid)
    madrid.nodes.all().delete()
    assert broken(peer) == {"home-publisher"}


def test_mesh_beyond_the_supported_size_is_a_warning(madrid):
    Peer.objects.bulk_create(
        Peer(cluster=madrid, address=f"10.7.0.{n}")
        for n in range(rules.LARGEST_MESH - 1)
    )
    stored = Peer.objects.first()
    assert not rules.mesh_size(stored)
    one_more = Peer(cluster=madrid, address="10.7.1.1")
    assert f" {rules.LARGEST_MESH + 1} clusters" in rules.mesh_size(one_more)
    one_more.save()
    assert rules.mesh_size(stored) == rules.mesh_size(one_more)


def test_nothing_is_changed_on_a_peer_that_is_being_removed(madrid, oslo, peer_factory):
    peer = peer_factory(madrid, oslo, removing=True)
    assert rules.peer_errors(peer)["__all__"].code == "removing"


def test_peer_does_not_duplicate_itself(madrid, oslo, peer_factory):
    assert rules.peer_errors(peer_factory(madrid, oslo)) == {}


def test_legacy_tls_is_not_for_a_ca(madrid):
    madrid.tls_mode, madrid.legacy_tls = "ca", True
    assert set(cluster_rules.cluster_errors(madrid)) == {"ca_certificate", "legacy_tls"}
    madrid.legacy_tls = False
    assert set(cluster_rules.cluster_errors(madrid)) == {"ca_certificate"}
    madrid.ca_certificate, madrid.legacy_tls = "a certificate", True
    assert set(cluster_rules.cluster_errors(madrid)) == {"legacy_tls"}


def broken(peer):
    """The rules that a peer breaks, but for the peer that should match it."""
    errors = {error.code for error in rules.peer_errors(peer).values()}
    return (errors | rules.peer_warnings(peer).keys()) - {"both-sides"}


def test_table_of_rules_is_the_code(settings):
    text = (settings.BASE_DIR / "docs/rules.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    assert lines == [
        f"| `{one.id}` | {one.severity} | {one.sentence} | {one.source} |"
        for one in rules.PEER_RULES
    ]


def test_ids_of_rules_are_unique():
    ids = [one.id for one in rules.PEER_RULES]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("generation", "wrong"), [("cup8", set()), ("imp", {"exact-name"})]
)
def test_from_9_on_the_exact_node_name_is_wanted(
    madrid, oslo, peer_factory, generation, wrong
):
    madrid.generation = generation
    assert broken(peer_factory(madrid, oslo)) == wrong
    named = peer_factory(madrid, oslo, address=oslo.publisher.name.lower())
    assert "exact-name" not in broken(named)


def test_8_wants_no_other_name_than_that_of_the_node(madrid, oslo, peer_factory):
    madrid.generation = "cup8"
    short = oslo.publisher.name.lower().partition(".")[0]
    assert broken(peer_factory(madrid, oslo, address=short)) == {"exact-name"}


def test_7_wants_the_address(madrid, oslo, peer_factory):
    madrid.generation = "cup7"
    named = peer_factory(madrid, oslo, address=oslo.publisher.name)
    assert broken(named) == {"address-on-7"}
    Peer.objects.all().delete()
    assert broken(peer_factory(madrid, oslo)) == set()


def test_mask_on_a_release_without_the_field_is_a_warning(madrid, oslo, peer_factory):
    madrid.generation = "imp"
    peer = peer_factory(madrid, oslo, external_phone_number_mask="+1XXXX")
    assert broken(peer) == {"exact-name", "mask-field"}
    madrid.generation = "cup8"
    assert broken(peer) == set()


@pytest.mark.parametrize(
    ("address", "srv"),
    [("_cup._tcp.example.com", True), ("no host", True), ("10.77.1.1", False)],
)
def test_what_is_no_ip_address_may_be_an_srv_name(madrid, address, srv):
    said = rules.known_remote(Peer(cluster=madrid, address=address))
    assert address in said
    assert ("DNS SRV" in said) is srv


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("14.0.1", "15.0.1", ""),
        ("14.0.1", "12.5.1", "staged upgrade"),
        ("14.0.1", "11.5.1", "not support"),
        ("15.0.1", "12.5.1", "Nothing certain"),
        ("", "12.5.1", ""),
        ("beta", "12.5.1", ""),
    ],
)
def test_versions_that_may_not_peer(madrid, oslo, peer_factory, one, other, expected):
    madrid.version, oslo.version = one, other
    sentence = rules.check_versions(peer_factory(madrid, oslo))
    assert (expected in sentence) if expected else not sentence


def test_a_user_sync_that_is_not_finished_is_a_warning(madrid, oslo, peer_factory):
    madrid.user_sync, oslo.user_sync = "Completed at noon", "In Progress"
    sentence = rules.user_sync(peer_factory(madrid, oslo))
    assert "Oslo" in sentence and "In Progress" in sentence
    assert "Madrid" not in sentence


def test_a_user_sync_that_lost_the_call_manager_is_a_warning(
    madrid, oslo, peer_factory
):
    madrid.user_sync = "Sync Completed, but currently failed to connect. Retrying..."
    oslo.user_sync = "Completed at noon"
    sentence = rules.user_sync(peer_factory(madrid, oslo))
    assert "Madrid" in sentence and "Retrying" in sentence


def test_a_user_sync_that_is_not_known_says_where_to_look(madrid, oslo, peer_factory):
    oslo.user_sync = ""
    sentence = rules.user_sync(peer_factory(madrid, oslo))
    assert "Oslo" in sentence and "Madrid" not in sentence
    assert "System Troubleshooter" in sentence


def test_a_finished_user_sync_says_nothing(madrid, oslo, peer_factory):
    madrid.user_sync = oslo.user_sync = "Completed 2026-01-01 00:00:00"
    assert rules.user_sync(peer_factory(madrid, oslo)) == ""


def test_a_name_of_no_node_may_be_an_srv_name(madrid):
    peer = Peer(cluster=madrid, address="cup.example.net")
    assert "DNS SRV" in rules.known_remote(peer)
