import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import audit
from accounts.models import AuditEntry
from base.loose_scan import values_in

ACTIONS = ["edit peer", "add peer", "Zeta", "", "sign in"]


@pytest.fixture
def entries(db):
    events = [audit.AuditEvent(action) for action in ACTIONS * 40]
    audit.record_all(audit.CONSOLE, events)


def test_each_value_is_given_once_in_order(entries):
    found = AuditEntry.objects.order_by("action").values_list("action", flat=True)
    assert values_in(AuditEntry, "action") == list(found.distinct())
    assert len(values_in(AuditEntry, "action")) == len(ACTIONS)


def test_an_empty_table_has_no_values(db):
    assert values_in(AuditEntry, "action") == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plan")
def test_every_step_is_a_search_of_the_index(entries):
    with CaptureQueriesContext(connection) as queries:
        values_in(AuditEntry, "action")
    [query] = [one["sql"] for one in queries]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {query}")
        plan = [row[3] for row in cursor.fetchall() if "accounts_auditentry" in row[3]]
    assert len(plan) == 2
    assert all("SEARCH" in one and "audit_action" in one for one in plan)
