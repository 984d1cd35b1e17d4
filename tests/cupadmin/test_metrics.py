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
