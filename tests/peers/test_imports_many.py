"""Files of many rows: what they cost, who waits, and what happens meanwhile."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import audit, users
from accounts.models import AuditEntry
from clusters.models import Cluster, Node
from jobs.engine import perform_job
from jobs.locks import Busy
from jobs.models import Job
from peers import lifecycle
from peers.imports import apply, uploads
from peers.jobs.import_file import FILE_IS_GONE
from peers.models import Peer, Upload

HEADING = "cluster,address,username,password\n"


@pytest.fixture
def at_once(monkeypatch):
    """Already two rows are long enough for a job."""
    monkeypatch.setattr(uploads, "SOON", 1)


def rows(*numbers, password="pw", user="ic"):
    many = (f"Madrid,10.8.{n // 250}.{n % 250},{user},{password}\n" for n in numbers)
    return HEADING + "".join(many)


def send(client, text):
    file = SimpleUploadedFile("many.csv", text.encode())
    url = reverse("peers:import")
    return client.post(url, {"file": file}, follow=True)


def preview_of(row):
    return reverse("peers:import_preview", args=[row.pk])


def confirm(client):
    return client.post(preview_of(Upload.objects.get()), follow=True)


def counts_of(answer):
    """How many rows were added and how many changed, as the page reports it."""
    (message,) = answer.context["messages"]
    return re.findall(r"\d+", str(message))


def statements(work):
    with CaptureQueriesContext(connection) as reported:
        work()
    return [one["sql"] for one in reported]


def test_a_preview_asks_no_more_for_more_rows_and_writes_nothing(administrator, madrid):
    def asked(text):
        row = uploads.store_upload(administrator, "many.csv", text.encode())
        entries = uploads.entries_of(row)
        return statements(lambda: apply.preview_import(entries))

    few, many = asked(rows(1)), asked(rows(*range(2, 60)))
    assert len(few) == len(many) < 10
    assert all(sql.startswith("SELECT") for sql in many)


def test_an_import_writes_in_batches(administrator, madrid):
    def written(text):
        row = uploads.store_upload(administrator, "many.csv", text.encode())
        entries = uploads.entries_of(row)
        return statements(lambda: apply.apply_import(entries, audit.CONSOLE, row))

    written(rows(0))  # begins the audit trail
    assert len(written(rows(1))) == len(written(rows(*range(2, 15))))
    assert Job.objects.active().count() == Peer.objects.count() == 15
    assert AuditEntry.objects.filter(action="add peer").count() == 15
    assert list(audit.chain_faults()) == []


def test_the_worst_lines_come_first_page_by_page(ada, madrid, peer_factory):
    peer_factory(madrid, madrid, address="10.8.0.7", username="ic")
    same = "Madrid,10.8.0.7,ic,\n"
    text = send(ada, rows(*range(10, 160)) + same + "Nowhere,10.1.1.1,ic,pw\n")
    lines = re.findall(r'<td class="num">(\d+)</td>', text.content.decode())
    assert lines[:2] == ["153", "2"] and len(lines) == 100
    result = text.context["result"]
    assert (len(result.errors), result.added, result.edited) == (1, 150, 0)
    second = ada.get(preview_of(Upload.objects.get()), {"page": 2}).content.decode()
    assert re.findall(r'<td class="num">(\d+)</td>', second)[-1] == "152"
    assert "of 152" in second and ">Import all<" not in second


def test_a_mesh_larger_than_supported_is_exported_and_imported_back(
    ada, cluster_factory
):
    clusters = [cluster_factory(f"c{n}") for n in range(24)]
    mesh = "".join(
        f"{home},{remote.publisher.name},ic,pw\n"
        for home in clusters
        for remote in clusters
        if home != remote
    )
    send(ada, HEADING + mesh)
    page = confirm(ada)
    job = Job.objects.get(kind="import-file")
    assert page.redirect_chain[-1][0] == job.get_absolute_url()
    assert job.target_url == reverse("peers:find")
    assert not Peer.objects.exists()
    perform_job(str(job.pk))
    assert Peer.objects.filter(remote_cluster__isnull=False).count() == 24 * 23
    exported = ada.get(reverse("peers:export_file", args=["peers-csv"])).getvalue()
    result = send(ada, exported.decode("utf-8-sig")).context["result"]
    assert len(result.effects) == 24 * 23
    assert result.changes == result.errors == []


def test_a_job_imports_a_long_file_as_who_asked(ada, madrid, at_once):
    send(ada, rows(1, 2))
    confirm(ada)
    job = Job.objects.get()
    assert "pw" not in str([job.arguments, *job.steps.values()])
    perform_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED and not Upload.objects.exists()
    assert re.findall(r"\d+", job.steps.get().detail) == ["2", "0"]
    entry = AuditEntry.objects.filter(action="add peer").first()
    assert (entry.actor, entry.job_id) == ("ada", str(job.pk))
    assert Job.objects.filter(kind="provision-peer", requested_by__username="ada")


def test_a_file_is_imported_by_one_job_only(ada, madrid, at_once):
    send(ada, rows(1, 2))
    row = Upload.objects.get()
    first = confirm(ada).redirect_chain
    assert confirm(ada).redirect_chain == first
    # It is not given up for the next file.
    send(ada, rows(3))
    assert Upload.objects.filter(pk=row.pk).exists() and Job.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("Nowhere,10.1.1.1,ic,pw\n", "'Nowhere'"),
        ("Madrid,127.66.1.1,ic,pw\n", "address: 127.66.1.1"),
    ],
)
def test_a_job_with_errors_names_the_first_by_line(ada, madrid, at_once, wrong, named):
    send(ada, rows(1) + wrong)
    confirm(ada)
    job = Job.objects.get()
    perform_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "line 3: " in job.error and named in job.error
    assert not Peer.objects.exists()


def test_a_job_whose_file_is_gone_says_so(ada, madrid, at_once):
    send(ada, rows(1, 2))
    confirm(ada)
    Upload.objects.all().delete()
    job = Job.objects.get()
    perform_job(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.FAILED, FILE_IS_GONE)


@pytest.mark.parametrize("by_job", [False, True])
def test_an_import_keeps_to_the_limit_of_who_asked(
    ada, administrator, madrid, cluster_factory, monkeypatch, by_job
):
    oslo = cluster_factory("Oslo")
    if by_job:
        monkeypatch.setattr(uploads, "SOON", 1)
    send(ada, rows(1) + "Oslo,10.1.1.1,ic,pw\n")
    users.limit_user(administrator, [str(madrid.pk)])
    confirm(ada)
    for job in Job.objects.filter(kind="import-file"):
        perform_job(str(job.pk))
        job.refresh_from_db()
        assert "line 3: " in job.error and "'Oslo'" in job.error
    assert not Peer.objects.exists() and oslo.publisher


def edit(peer):
    peer.username = "other"
    peer.save_edit("username")


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda peer: edit(peer),
        lambda peer: peer.delete(),
        lambda peer: Peer.objects.update(removing=True),
        lambda peer: Peer.objects.create(cluster=peer.cluster, address="10.8.0.2"),
        lambda peer: Node.objects.create(
            cluster=Cluster.objects.create(name="Rome"), address="10.8.0.2", name="r"
        ),
    ],
    ids=["edited", "deleted", "being removed", "added", "a node added"],
)
def test_what_changed_meanwhile_keeps_all_out(
    ada, madrid, peer_factory, monkeypatch, meanwhile
):
    peer = peer_factory(madrid, madrid, address="10.8.0.1")
    judge = apply.judge_entries

    def judge_then(entries, book):
        effects = judge(entries, book)
        meanwhile(Peer.objects.get(pk=peer.pk))
        return effects

    send(ada, rows(1, 2, 3))
    monkeypatch.setattr(apply, "judge_entries", judge_then)
    assert confirm(ada).context["result"].refused == apply.MEANWHILE
    assert not Peer.objects.filter(address="10.8.0.3").exists()
    assert Upload.objects.exists() and not Job.objects.exists()


def test_a_peer_that_a_job_works_on_is_an_error_of_its_line(ada, madrid, peer_factory):
    peer = peer_factory(madrid, madrid, address="10.8.0.2")
    lifecycle.provision_peer(peer, audit.CONSOLE)
    Job.objects.update(state=Job.State.RUNNING)
    result = send(ada, rows(1, 2)).context["result"]
    (effect,) = result.errors
    assert (effect.entry.line, result.added, result.edited) == (3, 1, 0)
    assert effect.errors == [str(Busy(Job.objects.get()))]
    # As it is, it may stay in the file.
    same = send(ada, rows(1) + "Madrid,10.8.0.2,icuser,\n").context["result"]
    assert (same.errors, same.added, same.edited) == ([], 1, 0)


def test_a_job_that_began_meanwhile_keeps_all_out(ada, madrid, peer_factory):
    peer = peer_factory(madrid, madrid, address="10.8.0.1")
    send(ada, rows(1, 2))
    row = Upload.objects.get()
    book_of, entries = apply.ImportBook.of, uploads.entries_of(row)

    def begin(entries):
        book = book_of(entries)
        if not Job.objects.exists():
            lifecycle.provision_peer(peer, audit.CONSOLE)
            Job.objects.update(state=Job.State.RUNNING)
        return book

    apply.ImportBook.of = begin
    try:
        result = apply.apply_import(entries, audit.CONSOLE, row)
    finally:
        apply.ImportBook.of = book_of
    assert result.refused == str(Busy(Job.objects.get()))
    assert Peer.objects.count() == 1 and Upload.objects.exists()


def test_rows_of_one_peer_are_done_in_their_order(ada, madrid):
    text = rows(1) + rows(1, user="second", password="").removeprefix(HEADING)
    send(ada, text + rows(1, user="third", password="").removeprefix(HEADING))
    assert counts_of(confirm(ada)) == ["1", "2"]
    peer = Peer.objects.get()
    assert (peer.username, peer.revision) == ("third", 3)
    assert peer.unseal("password").reveal() == "pw"
    assert Job.objects.active().count() == 1 and Job.objects.count() == 3
    found = AuditEntry.objects.filter(object_type="peer").order_by("number")
    assert [entry.action for entry in found] == ["add peer", "edit peer", "edit peer"]


def test_rows_of_one_cluster_are_done_in_their_order(ada, madrid):
    heading = "name,domain,axl_username,axl_password,publisher_address\n"
    first = "Rome,one.example,axl,pw,10.1.1.1\n"
    send(ada, heading + first + "Rome,two.example,axl,,10.1.1.2\n")
    assert counts_of(confirm(ada)) == ["1", "1"]
    rome = Cluster.objects.get(name="Rome")
    assert (rome.domain, rome.revision) == ("two.example", 2)
    assert rome.publisher.address == "10.1.1.2"


def test_two_rows_for_one_remote_cluster_are_an_error(ada, madrid, cluster_factory):
    oslo = cluster_factory("Oslo")
    first, second = oslo.publisher.name.lower(), oslo.publisher.address
    answer = send(ada, f"{HEADING}Madrid,{first},ic,pw\nMadrid,{second},ic,pw\n")
    (effect,) = answer.context["result"].errors
    assert effect.entry.line == 3
    assert "Oslo" in effect.errors[0] and first in effect.errors[0]


def test_an_edit_keeps_a_remote_cluster_that_a_check_found(ada, madrid, peer_factory):
    peer = peer_factory(madrid, madrid, address="srv.example.com")
    old = Peer.objects.get()
    send(ada, f"{HEADING}Madrid,srv.example.com,changed,\n")
    confirm(ada)
    peer.refresh_from_db()
    assert (peer.username, peer.remote_cluster) == ("changed", madrid)
    assert peer.revision == 2 and peer.updated_at > old.updated_at
    assert peer.provisioning_state == Peer.ProvisioningState.PENDING


def test_a_head_request_imports_nothing(ada, madrid):
    send(ada, rows(1))
    ada.head(preview_of(Upload.objects.get()))
    assert not Peer.objects.exists()
