"""What a node of a site presents to proofs is read by a worker of the site."""

import pytest

from clusters.models import Cluster, Node
from jobs import presence
from jobs.models import Job
from presence.errors import PresenceCode, PresenceError
from proof import canaries
from proof.jobs import present
from tests.workers import work_at_once
from wire import Code, WireError

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def node(pair, settings, monkeypatch):
    """A node whose site has a worker, which takes jobs at once."""
    settings.SITES = ["berlin"]
    Cluster.objects.filter(pk=pair.clusters[0].pk).update(site="berlin")
    work_at_once(monkeypatch, "site-berlin")
    rows = Node.objects.select_related("cluster")
    return rows.get(pk=pair.clusters[0].publisher.pk)


def test_a_worker_of_the_site_reads_it(node, pair, monkeypatch):
    asked = []
    fetch = present.fetch_certificate

    def fetch_certificate(*args):
        asked.append(presence.served_here())
        return fetch(*args)

    monkeypatch.setattr(present, "fetch_certificate", fetch_certificate)
    found = canaries.present_certificate(node, canaries.Kind.CUP)
    assert found.fingerprint == pair.there[0].publisher.cup_identity.fingerprint
    assert asked == [["site-berlin"]]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "error",
    [
        WireError(Code.REFUSED, node="cup1"),
        PresenceError(PresenceCode.XMPP_NO_TLS, node="cup1", detail="why"),
    ],
)
def test_an_error_is_the_same_from_there(node, monkeypatch, error):
    def fetch_certificate(*args):
        raise error

    monkeypatch.setattr(present, "fetch_certificate", fetch_certificate)
    with pytest.raises(type(error)) as refused:
        canaries.present_certificate(node, canaries.Kind.XMPP)
    found = refused.value
    assert (found.code, found.message, found.remedy, found.detail) == (
        error.code,
        error.message,
        error.remedy,
        error.detail,
    )
