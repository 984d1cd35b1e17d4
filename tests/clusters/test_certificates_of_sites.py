"""The certificate of a node of a site is read by a worker of the site."""

import pytest
from django.urls import reverse

from clusters import certificates, presented
from clusters.jobs import present
from clusters.jobs.present import PresentCertificates, is_asked_here
from clusters.models import Node
from jobs import dispatch, presence
from jobs.models import Job, Process
from tests.workers import work_at_once
from wire import Code, WireError

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def node(lab_clusters, settings):
    settings.SITES = ["berlin"]
    cluster = lab_clusters[0]
    cluster.site = "berlin"
    cluster.save(update_fields=["site"])
    return Node.objects.select_related("cluster").get(pk=cluster.publisher.pk)


@pytest.fixture
def asked_by(monkeypatch):
    """The queues of the worker at each question."""
    found = []
    ask = presented.presented_certificate

    async def presented_certificate(*args):
        found.append(presence.served_here())
        return await ask(*args)

    monkeypatch.setattr(presented, "presented_certificate", presented_certificate)
    return found


@pytest.fixture
def worker(monkeypatch):
    """A worker of the site, which takes jobs at once."""
    work_at_once(monkeypatch, "site-berlin")


def test_a_worker_of_the_site_asks_the_node(node, worker, asked_by):
    found = certificates.present_certificate(node)
    assert found.fingerprint == node.certificate_fingerprint
    assert found.not_after.tzinfo and isinstance(found.names, tuple)
    assert asked_by == [["site-berlin"]]
    assert not Job.objects.exists()


def test_page_and_rest_show_what_it_read(
    node, worker, asked_by, administrator, client_of
):
    client = client_of(administrator)
    page = client.get(reverse("clusters:certificate", args=[node.pk]))
    assert page.context["certificate"].fingerprint == node.certificate_fingerprint
    answer = client.get(f"/api/v1/nodes/{node.pk}/certificate/")
    assert answer.json()["fingerprint"] == node.certificate_fingerprint
    assert asked_by == [["site-berlin"]] * 2


def test_a_refusal_is_the_same_from_there(node, worker, asked_by):
    Node.objects.filter(pk=node.pk).update(axl_port=9)
    node.refresh_from_db()
    with pytest.raises(WireError) as refused:
        certificates.present_certificate(node)
    assert refused.value.code == Code.REFUSED
    assert asked_by == [["site-berlin"]]


def test_without_a_worker_of_the_site_nobody_asks(node, asked_by):
    with pytest.raises(WireError) as refused:
        certificates.present_certificate(node)
    assert refused.value.code == Code.UNREACHABLE
    assert "site-berlin" in refused.value.message
    assert asked_by == []
    assert not Job.objects.exists()


def test_a_worker_that_is_busy_is_not_waited_for_too_long(node, asked_by, monkeypatch):
    monkeypatch.setattr(present, "CERTIFICATE_DEADLINE", 0.2)
    monkeypatch.setattr(present, "WORKER_TIMEOUT", 0)
    monkeypatch.setattr(dispatch, "send_messages", lambda rings: None)
    Process.objects.create(host="b", pid=1, kind="worker", queues=["site-berlin"])
    with pytest.raises(WireError) as refused:
        certificates.present_certificate(node)
    assert "in time" in refused.value.message
    assert PresentCertificates.all().get().state == Job.State.CANCELLED


def test_nodes_of_several_places_are_asked_together(
    node, lab_clusters, worker, asked_by
):
    nodes = [node, *Node.objects.filter(cluster=lab_clusters[1])]
    found = certificates.present_certificates(nodes)
    assert list(map(bool, (found[one][0] for one in nodes))) == [True] * len(nodes)
    assert ["site-berlin"] in asked_by and [] in asked_by


def test_a_site_without_workers_of_its_own_is_asked_from_here(node, settings, asked_by):
    settings.SITES = []
    assert is_asked_here(node)
    assert certificates.present_certificate(node)
    assert asked_by == [[]]
