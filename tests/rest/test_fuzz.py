"""Odd requests to every operation, by each of four identities.

A short seed of them belongs to the tests; `make fuzz` sends 20,000 and more.
"""

import os
from datetime import timedelta

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import ApiToken
from accounts.roles import Role
from jobs.models import Job
from notifications.models import Subscriber
from tests.conftest import person
from tests.rest import sent

schemathesis = pytest.importorskip("schemathesis")

# What Schemathesis does inside its own strategies is not ours to mend.
pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:Do not use the `random` module"),
]

EXAMPLES = int(os.environ.get("CUPADMIN_FUZZ_EXAMPLES", "1"))
# The other checks know only the schema, not the rules behind it.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
IDENTITIES = ("nobody", *Role.values)

application = get_wsgi_application()


def load():
    schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(public=True))
    schema.app = application
    return schema


OPERATIONS = [result.ok() for result in load().get_all_operations()]


@pytest.fixture(autouse=True)
def one_connection(db):
    """Requests of this test share its connection, as with Django's own client."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def things(cluster_factory, peer_factory, administrator):
    """One row of each resource, so that not every id leads nowhere."""
    home, remote = cluster_factory("home"), cluster_factory("remote")
    peer = peer_factory(home, remote)
    job = Job.objects.submit("test-cluster", [("a", "A")], target=home)
    begins_at = timezone.now() + timedelta(hours=1)
    window = home.maintenances.create(begins_at=begins_at, ends_at=begins_at)
    webhook = Subscriber.objects.create(
        channel="webhook", name="Chat", url="https://chat.example.com/", topics=["job"]
    )
    message = webhook.messages.create(events=[])
    rows = [home, home.publisher, peer, job, window, webhook, message]
    return [str(row.pk) for row in rows]


@pytest.fixture
def headers(db, request):
    identity = request.param
    # In process nobody unpacks an answer that is compressed.
    plain = {"Accept-Encoding": "identity"}
    if identity == "nobody":
        return plain
    user = person(f"fuzz-{identity}", Role(identity))
    token = ApiToken.issue(user, "fuzz", Role(identity))[1]
    return plain | {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("headers", IDENTITIES, indirect=True)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_odd_requests_get_a_described_answer(operation, headers, things, settings):
    settings.API_RATE = 0
    hammer(operation, headers, things)


def hammer(operation, headers, things):
    schemathesis.checks.load_all_checks()
    checks = [schemathesis.checks.CHECKS.get_one(name) for name in CHECKS]

    @given(case=operation.as_strategy(), pk=st.sampled_from([None, *things]))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=EXAMPLES < 10,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case, pk):
        if pk is not None and "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = pk
        sent.total += 1
        case.call_and_validate(headers=headers, checks=checks)

    send()
