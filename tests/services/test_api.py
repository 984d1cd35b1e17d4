import pytest
from django.urls import reverse

from jobs.models import Job
from services.models import Service


@pytest.fixture
def agent(cluster_factory):
    return Service.objects.create(
        node=cluster_factory("berlin").publisher,
        name="Cisco UP Intercluster Sync Agent",
        status="started",
        up_time=3600,
    )


def action_url(agent, name):
    return reverse(f"api:services-{name}", args=[agent.pk])


def test_a_service_has_the_promised_fields(api, viewer, agent):
    body = api(viewer).get("/api/v1/services/").json()["results"][0]
    assert body["id"] == str(agent.pk)
    assert body["node"] == str(agent.node_id)
    assert body["cluster"] == str(agent.node.cluster_id)
    assert (body["status"], body["up_time"]) == ("started", 3600)
    assert {"name", "reason", "observed_at"} <= body.keys()


@pytest.mark.parametrize("field", ["node", "cluster", "status", "name"])
def test_services_are_filtered(api, viewer, agent, field):
    client = api(viewer)
    body = client.get(f"/api/v1/services/{agent.pk}/").json()
    found = client.get("/api/v1/services/", {field: body[field]}).json()
    assert found["count"] == 1


def test_an_unknown_filter_is_a_400(api, viewer, agent):
    assert api(viewer).get("/api/v1/services/", {"colour": "red"}).status_code == 400


@pytest.mark.parametrize("action", ["start", "stop", "restart"])
def test_an_action_is_a_job(api, operator, agent, action):
    response = api(operator).post(action_url(agent, action))
    assert response.status_code == 202
    assert response["Location"].endswith(f"/api/v1/jobs/{response.json()['id']}/")
    assert Job.objects.get().arguments["action"] == action


def test_a_second_action_conflicts_with_the_first(api, operator, agent):
    client = api(operator)
    client.post(action_url(agent, "restart"))
    response = client.post(action_url(agent, "stop"))
    assert response.status_code == 409
    assert response.json()["job"] == str(Job.objects.get().pk)


def test_what_must_not_be_stopped_is_a_409(api, operator, agent):
    Service.objects.update(restrict="do_not_stop")
    assert api(operator).post(action_url(agent, "stop")).status_code == 409
    assert not Job.objects.exists()


def test_a_viewer_cannot_control(api, viewer, agent):
    assert api(viewer).post(action_url(agent, "stop")).status_code == 403


def test_many_are_controlled_at_once(api, operator, agent):
    body = {"action": "restart", "ids": [str(agent.pk)]}
    assert api(operator).post("/api/v1/services/control/", body).status_code == 202
    assert Job.objects.get().steps.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "explode", "ids": ["{pk}"]}, "action"),
        ({"action": "start", "ids": []}, "ids"),
        ({"action": "start", "ids": ["7"]}, "ids"),
        ({"action": "start", "ids": ["00000000-0000-0000-0000-000000000000"]}, "ids"),
        ({"action": "start"}, "ids"),
    ],
)
def test_a_bad_request_names_the_field(api, operator, agent, body, field):
    response = api(operator).post("/api/v1/services/control/", body)
    assert response.status_code == 400
    assert field in response.json()["errors"]


def test_a_node_is_read_anew(api, operator, agent):
    url = f"/api/v1/nodes/{agent.node_id}/services/refresh/"
    assert api(operator).post(url).status_code == 202
    assert Job.objects.get().kind == "refresh-services"


def test_all_nodes_are_read_by_one_job(api, operator, viewer, agent):
    url = "/api/v1/services/refresh/"
    first, second = (api(operator).post(url) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert Job.objects.get().kind == "refresh-services"
    assert api(viewer).post(url).status_code == 403


def test_without_nodes_there_is_nothing_to_read(api, operator, db):
    assert api(operator).post("/api/v1/services/refresh/").status_code == 409


def test_a_node_under_control_is_not_read_beside_it(api, operator, agent):
    client = api(operator)
    client.post(action_url(agent, "restart"))
    url = f"/api/v1/nodes/{agent.node_id}/services/refresh/"
    assert client.post(url).status_code == 409


def test_an_unknown_node_is_a_404(api, operator, db):
    url = "/api/v1/nodes/00000000-0000-0000-0000-000000000000/services/refresh/"
    assert api(operator).post(url).status_code == 404
