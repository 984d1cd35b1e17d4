import pytest
from django.urls import reverse
from django.utils import timezone

from clusters.models import Node
from jobs.models import Job
from services.models import NodeReading, Service


@pytest.fixture
def node(cluster_factory):
    return cluster_factory("berlin").publisher


@pytest.fixture
def agent(node):
    return Service.objects.create(
        node=node, name="Cisco UP Intercluster Sync Agent", status="stopped"
    )


def show_url(node):
    return reverse("services:show", args=[node.pk])


def test_choosing_a_server_leads_to_its_page(client_of, viewer, node):
    response = client_of(viewer).get(reverse("services:server"), {"server": node.pk})
    assert response["Location"] == show_url(node)


@pytest.mark.parametrize("server", ["nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_server_that_does_not_exist_is_a_404(client_of, viewer, db, server):
    response = client_of(viewer).get(reverse("services:server"), {"server": server})
    assert response.status_code == 404


def test_the_page_shows_each_service_with_its_status(client_of, viewer, agent):
    content = client_of(viewer).get(show_url(agent.node)).content.decode()
    assert "Cisco UP Intercluster Sync Agent" in content
    assert "Stopped" in content


def test_a_viewer_gets_no_buttons(client_of, viewer, agent):
    content = client_of(viewer).get(show_url(agent.node)).content.decode()
    assert 'value="restart"' not in content
    assert 'type="checkbox" class="select-row"' not in content


def test_a_stale_reading_is_refreshed_by_the_open_page(client_of, operator, agent):
    content = client_of(operator).get(show_url(agent.node)).content.decode()
    assert 'hx-trigger="load"' in content
    assert not Job.objects.exists()


def test_refresh_submits_one_job_however_often_it_is_asked(client_of, operator, node):
    client = client_of(operator)
    for _ in range(3):
        response = client.post(reverse("services:refresh", args=[node.pk]))
    assert response["Location"] == show_url(node)
    assert Job.objects.get().kind == "refresh-services"


def test_a_viewer_cannot_refresh(client_of, viewer, node):
    response = client_of(viewer).post(reverse("services:refresh", args=[node.pk]))
    assert response.status_code == 403
    assert not Job.objects.exists()


def test_the_page_polls_only_while_a_job_runs(client_of, operator, node):
    client = client_of(operator)
    headers = {"HX-Request": "true"}
    client.post(reverse("services:refresh", args=[node.pk]))
    assert client.get(show_url(node), headers=headers).status_code == 200
    Job.objects.update(state=Job.State.SUCCEEDED)
    assert client.get(show_url(node), headers=headers).status_code == 286


def test_servers_are_listed_by_cluster_with_the_publisher_first(
    client_of, viewer, cluster_factory
):
    for name in ("vienna", "athens"):
        cluster = cluster_factory(name)
        address = f"{cluster.publisher.address[:-1]}2"
        Node.objects.create(
            cluster=cluster, name="a-sub", address=address, role="subscriber"
        )
    response = client_of(viewer).get(reverse("services:server"))
    listed = [(str(node.cluster), node.role) for node in response.context["nodes"]]
    roles = ["publisher", "subscriber"]
    assert listed == [(name, role) for name in ("athens", "vienna") for role in roles]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"node": "ATHENS"}, ["athens"]),
        ({"show": "stopped"}, ["vienna"]),
        ({"show": "unread"}, ["athens"]),
        ({"cluster": "nonsense"}, ["athens", "vienna"]),
        ({}, ["athens", "vienna"]),
    ],
)
def test_servers_are_filtered(client_of, viewer, cluster_factory, query, found):
    for name in ("vienna", "athens"):
        node = cluster_factory(name).publisher
        Node.objects.filter(pk=node.pk).update(name=f"{name}-pub")
        if name == "vienna":
            Service.objects.create(node=node, name="Cisco Tomcat", status="stopped")
            NodeReading.objects.create(node=node, tried_at=timezone.now())
    response = client_of(viewer).get(reverse("services:server"), query)
    assert [str(node.cluster) for node in response.context["shown"]] == found
    # All of them can still be chosen.
    assert len(response.context["nodes"]) == 2
