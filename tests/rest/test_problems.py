import pytest
from rest_framework.test import APIClient

CLUSTERS = "/api/v1/clusters/"
MISSING = f"{CLUSTERS}00000000-0000-4000-8000-000000000000/"


@pytest.fixture
def client(administrator, api):
    client = api(administrator)
    client.raise_request_exception = True
    return client


def assert_problem(response, status):
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"]


def test_no_token_is_a_401_that_names_the_scheme(db):
    response = APIClient().get(CLUSTERS)
    assert_problem(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_too_small_a_role_is_a_403(viewer, api):
    assert_problem(api(viewer).post(CLUSTERS, {}), 403)


@pytest.mark.parametrize(
    "url", [MISSING, f"{CLUSTERS}x/", f"{CLUSTERS}%00/", "/api/v1/nothing/", "/api/"]
)
def test_nothing_there_is_a_404(client, url):
    assert_problem(client.get(url), 404)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_address_without_its_last_slash_repeats_the_request(client, method):
    response = getattr(client, method)(CLUSTERS[:-1])
    assert (response.status_code, response["Location"]) == (308, CLUSTERS)


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_method_that_does_not_exist_is_a_405(client, method):
    response = getattr(client, method)(CLUSTERS)
    assert_problem(response, 405)
    assert "GET" in response["Allow"]


def test_other_media_types_are_not_acceptable(client):
    assert_problem(client.get(CLUSTERS, HTTP_ACCEPT="text/html"), 406)


@pytest.mark.parametrize(
    "media_type", ["text/xml", "application/x-www-form-urlencoded"]
)
def test_other_bodies_are_unsupported(client, media_type):
    response = client.post(CLUSTERS, "name=x", content_type=media_type)
    assert_problem(response, 415)


def test_session_needs_the_csrf_token(administrator):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(administrator)
    assert_problem(client.post(CLUSTERS, {}), 403)


def test_each_field_says_what_is_wrong_with_it(client):
    response = client.post(CLUSTERS, {"domain": "example.com"})
    assert_problem(response, 400)
    (error,) = response.data["errors"]["name"]
    assert error.code == "required"


def test_unexpected_error_says_nothing_of_its_cause(client, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr(
        "clusters.api.ClusterViewSet.list", lambda *args, **kwargs: 1 / 0
    )
    response = client.get(CLUSTERS)
    assert_problem(response, 500)
    assert "zero" not in response.content.decode()


def test_answer_carries_the_id_of_the_request(client):
    assert len(client.get(CLUSTERS)["X-Request-ID"]) == 32


def test_well_formed_id_of_the_client_is_kept(client):
    response = client.get(CLUSTERS, headers={"X-Request-ID": "build-4711"})
    assert response["X-Request-ID"] == "build-4711"


@pytest.mark.parametrize(
    "given", ["short", "x" * 65, "has space", 'quote"quote', "ümläut"]
)
def test_odd_ids_are_replaced(client, given):
    response = client.get(CLUSTERS, headers={"X-Request-ID": given})
    assert response["X-Request-ID"] != given


def test_answers_are_kept_out_of_caches(client):
    assert "no-store" in client.get(CLUSTERS)["Cache-Control"]


def test_too_many_requests_are_told_when_to_come_back(client, settings):
    settings.API_RATE = 3
    statuses = [client.get(CLUSTERS).status_code for _ in range(7)]
    assert statuses.count(200) in (3, 6)  # a minute may begin in between
    while (response := client.get(CLUSTERS)).status_code == 200:
        pass
    assert_problem(response, 429)
    assert 1 <= int(response["Retry-After"]) <= 60


def test_each_token_has_its_own_allowance(viewer, operator, api, settings):
    settings.API_RATE = 1
    assert api(viewer).get(CLUSTERS).status_code == 200
    assert api(operator).get(CLUSTERS).status_code == 200
