import re

import pytest
from django.urls import reverse
from django.utils import timezone

from services.models import NodeReading, Service, sync_agents
from tests.elements import elements, texts

START = f"//a[@href='{reverse('services:start_agents')}']"


@pytest.fixture
def node(cluster_factory):
    return cluster_factory("berlin", generation="imp").publisher


def read_agents(node, error_code=""):
    NodeReading.objects.update_or_create(
        pk=node.pk, defaults={"tried_at": timezone.now(), "error_code": error_code}
    )


def agent_of(node, status):
    return Service.objects.create(
        node=node, name="Cisco Intercluster Sync Agent", status=status
    )


def state():
    return sync_agents()[0].state


def test_unreachable_is_not_stopped(node):
    agent_of(node, "stopped")
    read_agents(node, error_code="timeout")
    assert state() == "unreachable"


def test_a_node_that_refuses_the_password_is_not_unreachable(node):
    read_agents(node, error_code="unauthorized")
    assert state() == "unreadable"


def test_a_node_without_the_service_is_told_from_one_nobody_asked(node):
    assert state() == "unread"
    read_agents(node)
    assert state() == "absent"


@pytest.mark.parametrize("status", ["started", "stopped", "starting", "stopping"])
def test_what_the_node_says_is_shown(node, status):
    agent_of(node, status)
    read_agents(node)
    assert state() == status


@pytest.mark.parametrize(
    "name", ["cisco  intercluster SYNC agent", "Cisco UP Intercluster  Sync Agent "]
)
def test_the_agent_is_known_in_any_case_and_spacing(node, name):
    Service.objects.create(node=node, name=name, status="stopped", reason_code=-1069)
    read_agents(node)
    assert state() == "stopped"
    assert Service.objects.sync_agents().get().outcome == "stopped"


def test_the_name_is_that_of_the_generation(node):
    assert sync_agents()[0].name == "Cisco Intercluster Sync Agent"


def test_the_preview_names_exactly_the_stopped_ones(client_of, operator, node):
    agent_of(node, "stopped")
    read_agents(node)
    response = client_of(operator).get(reverse("services:start_agents"))
    assert [one.node for one in response.context["plan"].services] == [node]


def test_an_unreachable_node_is_not_in_the_preview(client_of, operator, node):
    agent_of(node, "stopped")
    read_agents(node, error_code="refused")
    response = client_of(operator).get(reverse("services:start_agents"))
    assert response["Location"] == reverse("services:agents")


def test_the_page_answers_the_question_in_one_sentence(client_of, viewer, node):
    agent_of(node, "started")
    read_agents(node)
    answer = client_of(viewer).get(reverse("services:agents"))
    assert (answer.context["on"], answer.context["total"]) == (1, 1)
    [notice] = elements(answer, "//*[p/@role='status']/@class")
    assert notice == "notice passed"
    assert not elements(answer, START)


def test_the_page_shows_nodes_that_nobody_asked(client_of, operator, node):
    answer = client_of(operator).get(reverse("services:agents"))
    (agent,) = answer.context["agents"]
    assert agent.state == "unread" and agent.label in answer.content.decode()


def test_what_a_refresh_finds_stopped_can_be_started_without_a_reload(
    client_of, operator, node
):
    agent_of(node, "stopped")
    read_agents(node)
    url = reverse("services:agents")
    fragment = client_of(operator).get(url, headers={"HX-Request": "true"})
    assert elements(fragment, START)
    assert fragment.context["stopped"] == 1


def test_a_viewer_is_not_offered_to_start(client_of, viewer, node):
    agent_of(node, "stopped")
    read_agents(node)
    answer = client_of(viewer).get(reverse("services:agents"))
    assert answer.context["stopped"] == 1
    assert not elements(answer, START)


def test_what_is_not_known_is_told_apart(client_of, viewer, cluster_factory):
    for name, status, error in (
        ("berlin", "starting", ""),
        ("oslo", "started", "timeout"),
        ("paris", "started", "unauthorized"),
    ):
        one = cluster_factory(name, generation="imp").publisher
        agent_of(one, status)
        read_agents(one, error)
    answer = client_of(viewer).get(reverse("services:agents"))
    assert (answer.context["on"], answer.context["total"]) == (0, 3)
    assert [count for _, count in answer.context["others"]] == [1, 1, 1]
    [said] = texts(answer, "//div/p[@role='status']")
    assert re.findall(r"\d+", said) == ["0", "3", "1", "1", "1"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["berlin", "paris"]),
        ("?show=off", ["paris"]),
        ("?show=started", ["berlin"]),
        ("?show=unread", ["paris"]),
        ("?show=nonsense", ["berlin", "paris"]),
        ("?node=BERLIN", ["berlin"]),
        ("?cluster={berlin}", ["berlin"]),
        ("?cluster={berlin}&show=off", []),
    ],
)
def test_agents_are_filtered(client_of, viewer, node, cluster_factory, query, names):
    cluster_factory("paris")
    agent_of(node, "started")
    read_agents(node)
    url = reverse("services:agents") + query.format(berlin=node.cluster_id)
    answer = client_of(viewer).get(url)
    assert [one.node.cluster.name for one in answer.context["agents"]] == names
    assert f"{len(names)} of 2 nodes" in answer.content.decode()
