import csv
import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, AuditHead
from accounts.tasks import clean_accounts
from base.request_ids import within_job
from jobs.engine import perform_job
from peers.provisioning import drop_row

PAGE = "/administration/system/audit/"
ON_POSTGRES = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no TRUNCATE"
)


@pytest.fixture
def chain(operator):
    """Five entries."""
    actor = audit.Actor(operator, "192.0.2.7", "request-1", "job-1")
    for number in range(5):
        audit.append_entry(actor, f"edit {number}", operator, {"name": ["a", "ü"]})


def tamper(sql, *values):
    """Change the table as somebody with the database in hand would."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS audit_entry_is_final")
            cursor.execute("DROP TRIGGER IF EXISTS audit_entry_stays")
        else:
            cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER ALL")
        cursor.execute(sql, values)


def faults():
    return [(fault.code, fault.first, fault.last) for fault in audit.chain_faults()]


def test_fresh_chain_is_intact(chain):
    assert faults() == []
    assert list(AuditEntry.objects.values_list("number", flat=True)) == [5, 4, 3, 2, 1]


def test_empty_chain_is_intact(db):
    assert faults() == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "mallory"),
        ("action", "nothing"),
        ("object_label", "x"),
        ("changes", "{}"),
        ("address", "198.51.100.1"),
        ("at", "2020-01-01 00:00:00"),
        ("request_id", "x"),
        ("job_id", ""),
    ],
)
def test_changed_entry_is_noticed(chain, column, value):
    tamper(f"UPDATE accounts_auditentry SET {column} = %s WHERE number = 3", value)
    assert faults() == [("changed", 3, 3)]


def test_deleted_entry_is_noticed(chain):
    tamper("DELETE FROM accounts_auditentry WHERE number = 3")
    assert faults()[0] == ("missing", 3, 3)


def test_deleted_end_is_noticed(chain):
    tamper("DELETE FROM accounts_auditentry WHERE number = 5")
    assert faults() == [("cut", 4, 5)]


def test_deleted_beginning_is_noticed(chain):
    tamper("DELETE FROM accounts_auditentry WHERE number = 1")
    assert faults()[0] == ("missing", 1, 1)


def test_forged_entry_is_noticed(chain):
    entry = AuditEntry.objects.get(number=3)
    entry.actor = "mallory"
    tamper(
        "UPDATE accounts_auditentry SET actor = %s, hash = %s WHERE number = 3",
        "mallory",
        audit.entry_digest(entry),
    )
    assert faults() == [("unlinked", 4, 4)]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE accounts_auditentry SET actor = 'mallory' WHERE number = 3",
        "UPDATE accounts_auditentry SET number = 99 WHERE number = 5",
        "DELETE FROM accounts_auditentry WHERE number = 5",
        "DELETE FROM accounts_auditentry WHERE number = 1",
        "DELETE FROM accounts_auditentry",
        pytest.param("TRUNCATE accounts_auditentry", marks=ON_POSTGRES),
        pytest.param("TRUNCATE accounts_auditentry CASCADE", marks=ON_POSTGRES),
    ],
)
def test_database_refuses_to_change_or_delete_an_entry(chain, sql):
    with (
        pytest.raises(DatabaseError, match="never (changed|deleted)"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert faults() == []
    assert AuditEntry.objects.count() == 5


def test_retention_passes_the_database_and_leaves_the_rest_protected(chain):
    saved = AuditEntry.objects.get(number=4)
    assert audit.prune_entries(saved.at) == 3
    assert faults() == []
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.filter(number=4).delete()
    assert [one.number for one in AuditEntry.objects.order_by("number")] == [4, 5, 6]


@pytest.mark.parametrize(
    ("query", "count"),
    [("", 4), ("?action=edit 4", 1), ("?action=edit 0", 0), ("?since=x", 0)],
)
def test_page_counts_what_it_lists(chain, administrator, client_of, query, count):
    client = client_of(administrator)
    audit.prune_entries(AuditEntry.objects.get(number=4).at)
    found = client.get(f"{PAGE}{query}").context["page"].paginator
    assert (found.count, found.object_list.count()) == (count, count)


def test_all_entries_are_counted_without_reading_them(chain, administrator, client_of):
    client = client_of(administrator)
    with CaptureQueriesContext(connection) as asked:
        client.get(PAGE)
    counting = [one["sql"] for one in asked if "COUNT(" in one["sql"].upper()]
    assert [sql for sql in counting if "auditentry" in sql] == []


def test_entry_is_not_saved_twice(chain):
    with pytest.raises(TypeError, match="never changed"):
        AuditEntry.objects.first().save()


def test_entry_goes_with_the_transaction_of_the_change(operator):
    class Undo(Exception):
        pass

    with pytest.raises(Undo), transaction.atomic():
        audit.append_entry(audit.Actor(operator), "edit")
        raise Undo
    assert not AuditEntry.objects.exists()
    audit.append_entry(audit.Actor(operator), "edit")
    assert faults() == []


@pytest.mark.parametrize(
    ("given", "saved"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unix:", None),
    ],
)
def test_address_is_kept_in_one_form(db, given, saved):
    entry = audit.append_entry(audit.Actor(address=given), "edit")
    entry.refresh_from_db()
    assert entry.address == saved
    assert faults() == []


def test_command_says_what_to_note(chain, capsys):
    call_command("verify_audit")
    head = AuditHead.objects.get()
    said = capsys.readouterr().out.split()
    assert (said[0], said[-1]) == ("5", f"5:{head.hash}")


def test_command_fails_on_a_fault(chain, capsys):
    tamper("DELETE FROM accounts_auditentry WHERE number = 2")
    found = [str(fault) for fault in audit.chain_faults()]
    with pytest.raises(CommandError, match=f" {len(found)} "):
        call_command("verify_audit")
    assert capsys.readouterr().err.splitlines() == found


def test_chain_that_was_written_anew_differs_from_what_was_noted(chain):
    noted = f"3:{AuditEntry.objects.get(number=3).hash}"
    call_command("verify_audit", noted=noted)
    tamper("DELETE FROM accounts_auditentry")
    AuditHead.objects.all().delete()
    for number in range(5):
        audit.append_entry(audit.CONSOLE, f"forge {number}")
    call_command("verify_audit")
    with pytest.raises(CommandError):
        call_command("verify_audit", noted=noted)


def test_retention_keeps_the_rest_of_the_chain_intact(chain, settings):
    old = timezone.now() - timedelta(days=100)
    rewrite_times(3, old)
    settings.AUDIT_RETENTION_DAYS = 90
    clean_accounts.run()
    assert faults() == []
    left = AuditEntry.objects.order_by("number")
    assert [entry.number for entry in left] == [4, 5, 6]
    assert left.last().action == "prune audit"
    assert left.last().changes == {"entries": [3, 0]}


def test_without_a_retention_everything_stays(chain, settings):
    settings.AUDIT_RETENTION_DAYS = 0
    rewrite_times(5, timezone.now() - timedelta(days=10_000))
    clean_accounts.run()
    assert AuditEntry.objects.count() == 5


def rewrite_times(n, at):
    """Build the chain anew with its first n entries at another time."""
    entries = list(AuditEntry.objects.order_by("number"))
    tamper("DELETE FROM accounts_auditentry")
    previous = ""
    for entry in entries:
        entry.at = at if entry.number <= n else entry.at
        entry.previous_hash = previous
        entry.hash = previous = audit.entry_digest(entry)
    AuditEntry.objects.bulk_create(entries)
    AuditHead.objects.update(hash=previous)


def test_refused_page_is_recorded_once_a_minute(viewer, client_of):
    client = client_of(viewer)
    for _ in range(3):
        client.get(PAGE)
    entry = AuditEntry.objects.get(action="refuse access")
    assert (entry.actor, entry.object_label) == ("vera", f"GET {PAGE}")


def test_refused_rest_call_is_recorded(viewer, api):
    api(viewer).get("/api/v1/audit-entries/", headers={"X-Request-ID": "from-client"})
    entry = AuditEntry.objects.get(action="refuse access")
    assert entry.object_label == "GET /api/v1/audit-entries/"
    assert entry.request_id == "from-client"


@pytest.fixture
def client(administrator, client_of):
    return client_of(administrator)


@pytest.mark.parametrize(
    ("query", "n_found"),
    [
        ({"q": "otto"}, 5),
        ({"q": "192.0.2"}, 5),
        ({"q": "job-1"}, 5),
        ({"action": "edit 3"}, 1),
        ({"q": "nobody"}, 0),
        ({"until": "2020-01-01"}, 0),
        ({"since": "nonsense"}, 0),
        ({"q": "\0"}, 0),
    ],
)
def test_page_searches(chain, client, query, n_found):
    response = client.get(PAGE, query)
    assert response.status_code == 200
    assert response.context["page"].paginator.count == n_found


def test_entry_shows_before_and_after(chain, client):
    entry = AuditEntry.objects.get(number=3)
    page = client.get(reverse("accounts:audit_entry", args=[entry.pk]))
    assert b"<del>a</del>" in page.content
    assert "<ins>ü</ins>".encode() in page.content
    assert page.context["intact"]


def test_changed_entry_says_so_on_its_page(chain, client):
    tamper("UPDATE accounts_auditentry SET actor = 'x' WHERE number = 3")
    entry = AuditEntry.objects.get(number=3)
    page = client.get(reverse("accounts:audit_entry", args=[entry.pk]))
    assert not page.context["intact"]


def test_rest_filters_by_time_and_request(chain, administrator, api):
    client = api(administrator)
    url = "/api/v1/audit-entries/"
    assert client.get(url, {"request_id": "request-1"}).data["count"] == 5
    assert client.get(url, {"until": "2020-01-01T00:00:00Z"}).data["count"] == 0
    assert client.get(url, {"until": "nonsense"}).status_code == 400


def test_csv_holds_what_was_found(chain, client):
    response = client.get(reverse("accounts:export_audit"), {"action": "edit 3"})
    assert response["Content-Disposition"] == 'attachment; filename="audit.csv"'
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), strict=True))
    assert [row["action"] for row in rows] == ["edit 3"]
    assert rows[0]["changes"] == '{"name": ["a", "ü"]}'


def test_export_is_recorded(client):
    client.get(reverse("accounts:export_audit"))
    assert AuditEntry.objects.filter(action="export audit").exists()


def test_entries_of_a_job_name_it_and_the_request_behind_it(
    client, administrator, api, cluster_factory, monkeypatch
):
    cluster = cluster_factory("berlin")
    monkeypatch.setattr("clusters.discovery.ask_node", lambda *args: "14.0.1.10000-1")
    monkeypatch.setattr("clusters.discovery.learn_nodes", lambda cluster: "")
    monkeypatch.setattr("clusters.discovery.check_certificates", lambda cluster: "")
    url = f"/api/v1/clusters/{cluster.pk}/discover/"
    headers = {"X-Request-ID": "nightly-discovery"}
    job_id = api(administrator).post(url, headers=headers).json()["id"]
    perform_job(job_id)
    entries = AuditEntry.objects.filter(request_id="nightly-discovery")
    reported = {entry.action: entry for entry in entries}
    assert set(reported) == {"discover cluster", "learn version", "end job"}
    assert reported["learn version"].job_id == reported["end job"].job_id == job_id
    assert reported["learn version"].changes["generation"][1] == "imp"
    assert reported["end job"].actor == "ada"
    assert reported["end job"].changes["state"] == ["running", "succeeded"]
    assert reported["end job"].changes["steps"] == [None, {"done": 3}]
    assert faults() == []
    page = client.get(PAGE, {"q": "nightly-discovery"}).content.decode()
    assert reverse("jobs:show", args=[job_id]) in page
    jobs = client.get(reverse("jobs:find"), {"request_id": "nightly-discovery"})
    assert [str(job.pk) for job in jobs.context["page"]] == [job_id]
    rest = api(administrator).get("/api/v1/audit-entries/", {"job_id": job_id})
    assert rest.json()["count"] == 2


def test_what_no_job_does_names_no_job(operator):
    assert audit.append_entry(audit.Actor(operator), "edit").job_id == ""


def test_removal_by_a_job_is_recorded_with_the_row(
    administrator, cluster_factory, peer_factory
):
    peer = peer_factory(cluster_factory(), cluster_factory())
    with within_job("job-7", "request-7"):
        drop_row(peer)
    entry = AuditEntry.objects.get(action="forget peer")
    assert (entry.job_id, entry.request_id) == ("job-7", "request-7")
