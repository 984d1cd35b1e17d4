"""What was read is kept once, with the authority that signed it, and forgotten."""

from datetime import timedelta

from django.utils import timezone

from exchange import store
from exchange.judge import FRESH, TrustState
from exchange.models import KnownCertificate, NodeCertificates
from exchange.pairs import load_certificates
from exchange.reading import CertificateReading
from tests.exchange.conftest import make, make_authority, snapshot
from wire import Code, WireError


def state(mesh):
    pair = str(mesh.home.pk), str(mesh.remote.pk)
    return {one.state for one in load_certificates().by_certificate(*pair)}


def test_every_certificate_is_kept_once(mesh):
    assert KnownCertificate.objects.count() == len(mesh.everything) == 12
    assert state(mesh) == {TrustState.TRUSTED}


def test_what_no_node_shows_any_more_is_forgotten(mesh):
    node = mesh.nodes(mesh.remote)[1]
    mesh.own[node.pk]["cup"] = make(node.name)
    mesh.read_all()
    store.prune_certificates()
    assert KnownCertificate.objects.count() == 12


def test_an_authority_is_found_by_its_signature_and_not_by_its_name(mesh):
    real, false = make_authority("Example CA"), make_authority("Example CA")
    node = mesh.nodes(mesh.remote)[0]
    mesh.own[node.pk]["tomcat"] = make(node.name, by=real)
    mesh.read(node, [])
    others = [one for one in mesh.everything if one.common_name != node.name]
    rest = [mesh.own[node.pk][name] for name in ("cup", "cup-xmpp")]
    for home in mesh.nodes(mesh.home):
        mesh.read(home, [*others, *rest, false.certificate])
    store.link_signers()
    assert state(mesh) != {TrustState.TRUSTED}
    for home in mesh.nodes(mesh.home):
        mesh.read(home, [*others, *rest, real.certificate])
    store.link_signers()
    assert state(mesh) == {TrustState.TRUSTED}


def test_a_node_is_no_authority_over_a_namesake(mesh):
    node = make_authority("node")
    leaf = make("leaf", by=node)
    plain = make("node", key=node.key)
    keys = store.known_keys([leaf, plain])
    store.link_signers()
    assert KnownCertificate.objects.get(pk=keys[leaf.fingerprint]).signer_key == ""


def test_trust_lists_outlast_a_failure_only_while_they_mean_something(mesh):
    node = mesh.nodes(mesh.home)[0]
    failed = CertificateReading(
        presented={}, error=WireError(Code.TIMEOUT, node=node.name)
    )
    now = timezone.now()
    row = store.save_reading(node, failed, now)
    assert (row.seen_by, row.code, bool(row.trusts)) == ("rest", "timeout", True)
    shown = make(node.name)
    late = CertificateReading(presented={"tomcat": shown}, error=failed.error)
    row = store.save_reading(node, late, now + FRESH + timedelta(minutes=1))
    assert (row.seen_by, row.trusts) == ("tls", {})
    assert [*row.identities] == ["tomcat"]


def test_a_list_with_an_unreadable_entry_proves_no_absence(mesh):
    for node in mesh.nodes(mesh.home):
        reading = snapshot(dict(mesh.own[node.pk]), [], tomcat=1, cup=0)
        store.save_reading(node, reading, timezone.now())
    found = load_certificates()
    sums = found.by_certificate(str(mesh.home.pk), str(mesh.remote.pk))
    states = {one.checks[0].service: one.state for one in sums}
    assert states == {
        "tomcat": TrustState.UNKNOWN,
        "cup": TrustState.MISSING,
        "cup-xmpp": TrustState.MISSING,
    }


def test_a_deleted_node_takes_what_it_showed_with_it(mesh):
    mesh.nodes(mesh.remote)[1].delete()
    assert NodeCertificates.objects.count() == 3
