import re

import pytest
from django.urls import reverse

from jobs.models import Job
from services import confirmations, impact
from services.models import Service
from tests.elements import levels


@pytest.fixture
def agent(cluster_factory):
    return Service.objects.create(
        node=cluster_factory("berlin").publisher,
        name="Cisco UP Intercluster Sync Agent",
        status="started",
    )


def ask_control(client, action, *services):
    data = {"action": action, "service": [service.pk for service in services]}
    return client.post(reverse("services:control"), data)


def signed_plan(response):
    return re.search(r'name="plan" value="([^"]+)"', response.content.decode())[1]


def test_nothing_happens_before_the_confirmation(client_of, operator, agent):
    response = ask_control(client_of(operator), "stop", agent)
    assert impact.AGENT["stop"] in response.context["plan"].effects
    assert agent.node.name in response.content.decode()
    assert not Job.objects.exists()


def test_stopping_axl_is_said_to_lock_the_console_out(client_of, operator, agent):
    agent.name = "Cisco AXL Web Service"
    agent.save()
    answer = ask_control(client_of(operator), "stop", agent)
    effects = [impact.AXL["stop"], impact.DEPENDENTS["stop"]]
    assert answer.context["plan"].effects == effects
    assert effects[0] in answer.content.decode()


@pytest.mark.parametrize("name", ["Cisco XCP Router", "Cisco UP XCP Router"])
def test_the_router_ends_sessions_under_the_names_of_all_releases(
    client_of, operator, agent, name
):
    agent.name = name
    agent.save()
    answer = ask_control(client_of(operator), "stop", agent)
    assert impact.ROUTER["stop"] in answer.context["plan"].effects


def test_the_confirmed_plan_becomes_a_job(client_of, operator, agent):
    client = client_of(operator)
    plan = signed_plan(ask_control(client, "stop", agent))
    response = client.post(reverse("services:control"), {"plan": plan})
    job = Job.objects.get()
    assert response["Location"] == job.get_absolute_url()
    assert job.arguments["action"] == "stop"
    assert job.requested_by == operator


def test_a_plan_confirmed_twice_is_one_job(client_of, operator, agent):
    client = client_of(operator)
    plan = signed_plan(ask_control(client, "restart", agent))
    for _ in range(2):
        response = client.post(reverse("services:control"), {"plan": plan})
    assert response["Location"] == Job.objects.get().get_absolute_url()


def test_a_plan_of_somebody_else_is_refused(client_of, operator, administrator, agent):
    plan = signed_plan(ask_control(client_of(operator), "stop", agent))
    client_of(administrator).post(reverse("services:control"), {"plan": plan})
    assert not Job.objects.exists()


@pytest.mark.parametrize("plan", ["x", "eyJ9:1:2", "é"])
def test_a_forged_plan_is_refused(client_of, operator, agent, plan):
    response = client_of(operator).post(reverse("services:control"), {"plan": plan})
    assert response.status_code == 302
    assert not Job.objects.exists()


def test_what_is_so_already_is_left_out(client_of, operator, agent):
    answer = ask_control(client_of(operator), "start", agent)
    [line] = answer.context["plan"].lines
    assert not line.included and "started" in line.what
    assert 'name="plan"' not in answer.content.decode()


def test_the_preview_does_not_call_a_failure_what_is_off_on_purpose(
    client_of, operator, agent
):
    Service.objects.update(name="Cisco DRF Master", status="stopped", reason_code=-1068)
    content = ask_control(client_of(operator), "start", agent).content.decode()
    assert 'class="outcome information"' in content
    assert 'class="outcome failed"' not in content


def test_what_cannot_be_stopped_is_left_out(client_of, operator, agent):
    Service.objects.update(restrict="do_not_stop")
    answer = ask_control(client_of(operator), "restart", agent)
    [line] = answer.context["plan"].lines
    assert (line.included, line.what) == (False, confirmations.FORBIDDEN)
    assert line.what in answer.content.decode()
    assert 'name="plan"' not in answer.content.decode()


def test_without_a_selection_the_page_asks_for_one(client_of, operator, agent):
    data = {"action": "stop", "node": agent.node_id}
    response = client_of(operator).post(reverse("services:control"), data, follow=True)
    assert levels(response) == ["warning"]
    assert not Job.objects.exists()


def test_a_viewer_cannot_control(client_of, viewer, agent):
    assert ask_control(client_of(viewer), "stop", agent).status_code == 403


def test_control_cannot_be_reached_with_get(client_of, operator):
    assert client_of(operator).get(reverse("services:control")).status_code == 405
