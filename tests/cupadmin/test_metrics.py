import pytest
from django.test import Client

from accounts.access import Role
from accounts.models import ApiToken

pytestmark = pytest.mark.django_db


def test_a_token_reads_the_metrics(viewer):
    _, text = ApiToken.issue(viewer, "prometheus", Role.VIEWER)
    answer = Client().get("/metrics", HTTP_AUTHORIZATION=f"Bearer {text}")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert b"cupadmin_" in answer.content


def test_an_allowed_address_needs_no_token(settings):
    settings.METRICS_NETWORKS = ["127.0.0.0/8"]
    assert Client().get("/metrics").status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic dTpw"])
def test_nobody_else_reads_them(header):
    answer = Client().get("/metrics", HTTP_AUTHORIZATION=header)
    assert answer.status_code == 401
    assert b"cupadmin_" not in answer.content


def test_a_session_alone_does_not_read_them(viewer, client_of):
    assert client_of(viewer).get("/metrics").status_code == 401


def scrape(text, address="127.0.0.1"):
    headers = {"authorization": f"Bearer {text}"}
    return Client().get("/metrics", headers=headers, REMOTE_ADDR=address)


def test_networks_of_a_token_hold(viewer):
    _, text = ApiToken.issue(
        viewer, "prometheus", Role.VIEWER, networks=["10.9.9.0/24"]
    )
    assert scrape(text).status_code == 401
    assert scrape(text, "10.9.9.7").status_code == 200
    assert scrape(text, "").status_code == 401


def test_token_of_somebody_without_a_role_does_not_read_them(viewer):
    _, text = ApiToken.issue(viewer, "prometheus", Role.VIEWER)
    viewer.groups.clear()
    assert scrape(text).status_code == 401


def test_reading_them_is_a_use_of_the_token(viewer):
    token, text = ApiToken.issue(viewer, "prometheus", Role.VIEWER)
    scrape(text)
    token.refresh_from_db()
    assert token.last_used_at is not None


@pytest.mark.parametrize("text", ["cup_\0\0\0\0\0\0\0\0_x", "cup_é", "cup_" * 999])
def test_text_that_is_no_token_is_not_looked_up(text, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert scrape(text).status_code == 401
