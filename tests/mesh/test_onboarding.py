from django.urls import reverse

from accounts.audit import CONSOLE
from clusters.models import Cluster, Node
from mesh import adoption
from mesh.onboarding import is_over, onboarding_tasks
from peers.models import Peer
from tests.elements import elements
from tests.mesh.test_running import carried, name_of, store_users

LABELS = ["add", "confirm", "discover", "neighbours", "adopt", "verify"]


def done():
    tasks = onboarding_tasks()
    return [label for label, task in zip(LABELS, tasks, strict=True) if task.done]


def test_nothing_is_done_at_first(db):
    assert done() == []


def test_tasks_are_done_one_after_the_other(cluster_factory):
    one, other = cluster_factory("Bonn"), cluster_factory("Kiel")
    Node.objects.filter(cluster=one).update(certificate_state="unknown")
    assert done() == ["add"]
    Node.objects.update(certificate_state="trusted")
    assert done() == ["add", "confirm"]
    Cluster.objects.update(version="8.6.5", generation="cup8")
    assert done() == ["add", "confirm", "discover"]
    carried(one, other)
    assert done() == ["add", "confirm", "discover", "neighbours"]
    adoption.adopt_peerings(Cluster.objects.prefetch_related("nodes"), CONSOLE)
    assert done() == ["add", "confirm", "discover", "neighbours", "adopt"]
    Peer.objects.update(outcome="passed")
    assert is_over(onboarding_tasks())


def test_neighbour_that_is_not_managed_is_left_to_add(cluster_factory):
    one = cluster_factory("Bonn")
    store_users(one, {name_of(one): 5, "oslo-pub.example.com": 3})
    task = onboarding_tasks()[3]
    assert not task.done and task.detail.startswith("1 neighbour")


def test_list_is_gone_from_the_overview_when_done(client_of, viewer, monkeypatch):
    vera, url = client_of(viewer), reverse("mesh:first_steps")
    htmx = {"headers": {"HX-Request": "true"}}
    assert "steps-list" in vera.get(url, **htmx).content.decode()
    monkeypatch.setattr("mesh.views.is_over", lambda tasks: True)
    assert "steps-list" not in vera.get(url, **htmx).content.decode()
    links = elements(vera.get(url), "//*[@class='steps-list']/li/a/@href")
    assert links[0] == reverse("clusters:add_cluster")
