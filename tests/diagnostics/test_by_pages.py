"""What a check reads of the product's own pages, and what it proves."""

import pytest

from clusters.models import Node
from diagnostics.checks import check_peers
from jobs.leases import lease
from peers.models import Peer
from tests.pages.clusters import cluster_by_pages
from tests.pages.site import Site
from tests.pages.skins import Cells, Labels
from tests.wire.server import FINGERPRINT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[Cells, Labels], ids=["cells", "labels"])
def site(request):
    with Site(request.param()) as made:
        row = {"address": "10.1.1.1", "username": "u", "protocol": "TCP"}
        made.rows = {"1": row}
        yield made


@pytest.fixture
def peer(site):
    cluster = cluster_by_pages(site)
    Node.objects.create(
        cluster=cluster,
        name="node.test",
        address="127.0.0.1",
        axl_port=9,
        certificate_fingerprint=FINGERPRINT,
        certificate_state=Node.CertificateState.TRUSTED,
    )
    values = {"address": "10.1.1.1", "username": "u", "provisioning_state": "applied"}
    return Peer.objects.create(cluster=cluster, **values)


def entry(peer: Peer, code: str) -> dict:
    peer.refresh_from_db()
    return next(one for one in peer.entries if one["code"] == code)


def test_a_check_knows_the_entry_by_the_pages(site, peer):
    check_peers([peer], total=10)
    found = entry(peer, "provisioned")
    assert (found["outcome"], found["evidence"]) == ("passed", "pages")
    assert peer.evidence == "pages"
    assert site.sign_ins == site.sign_outs == 1


def test_a_check_keeps_what_the_clusters_own_page_shows(site, peer):
    check_peers([peer], total=10)
    peer.refresh_from_db()
    displayed = {one["label"]: one["outcome"] for one in peer.cluster_status["entries"]}
    assert displayed == {
        "Peer Connectivity": "passed",
        "Certificate Status": "failed",
        "Sync Status": "unknown",
        "Associated Users": "information",
    }
    assert peer.cluster_status["associated_users"] == 25


def test_values_changed_on_the_cluster_are_drift(site, peer):
    site.rows["1"]["username"] = "other"
    check_peers([peer], total=10)
    assert entry(peer, "provisioned")["outcome"] == "failed"
    assert peer.drift == {"username": "other"}


def test_an_entry_that_the_pages_do_not_list_is_absent(site, peer):
    site.rows = {}
    check_peers([peer], total=10)
    assert entry(peer, "provisioned")["outcome"] == "failed"
    assert peer.provisioning_state == Peer.ProvisioningState.ABSENT


@pytest.mark.parametrize("fault", ["denied", "limit", "half", "script"])
def test_pages_that_cannot_be_read_prove_nothing(site, peer, fault):
    site.faults = {fault}
    check_peers([peer], total=10)
    found = entry(peer, "provisioned")
    assert (found["outcome"], found["evidence"]) == ("unknown", "none")
    assert peer.provisioning_state == Peer.ProvisioningState.APPLIED


def test_an_account_in_use_is_not_waited_for(site, peer):
    name = f"pages:127.0.0.1:{site.server.server_port}:administrator"
    with lease(name, seconds=60, patience=0):
        check_peers([peer], total=10)
    assert entry(peer, "provisioned")["outcome"] == "unknown"
    assert site.log == []
