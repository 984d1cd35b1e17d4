"""Provisioning through the product's own pages, in two markups."""

import pytest
from django.urls import reverse

from accounts.audit import CONSOLE
from clusters import page_structure
from clusters.jobs.describe import DescribePages
from clusters.models import Cluster, Node
from jobs.models import Job, JobStep
from pages import EXPLANATIONS, PageCode, PagesError
from peers import lifecycle
from peers.jobs.manual_sync import ManualSync
from peers.models import Peer
from tests.pages.clusters import cluster_by_pages
from tests.pages.site import PASSWORD, Site
from tests.pages.skins import Cells, Labels
from tests.wire.server import FINGERPRINT
from tests.workers import done, expire_leases, killed_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[Cells, Labels], ids=["cells", "labels"])
def site(request):
    with Site(request.param()) as made:
        yield made


@pytest.fixture
def cluster(site, settings):
    cluster = cluster_by_pages(site)
    Node.objects.create(
        cluster=cluster,
        name="node.test",
        address="127.0.0.1",
        certificate_fingerprint=FINGERPRINT,
        certificate_state=Node.CertificateState.TRUSTED,
    )
    return cluster


@pytest.fixture
def peer(cluster):
    return Peer(cluster=cluster, address="10.1.1.1", username="intercluster")


def save(peer: Peer, **fields: str) -> Job:
    for name, value in fields.items():
        setattr(peer, name, value)
    return lifecycle.save_peer(peer, CONSOLE, password="secret", fields=[*fields])


def detail(job: Job) -> str:
    return job.steps.get(key="write").detail


def test_a_peer_is_saved_once_and_read_back(site, peer):
    job = done(save(peer))
    assert (job.state, job.error) == (Job.State.SUCCEEDED, "")
    peer.refresh_from_db()
    assert peer.provisioning_state == Peer.ProvisioningState.APPLIED
    assert [row["address"] for row in site.rows.values()] == ["10.1.1.1"]
    assert (site.saves, site.sign_ins) == (1, site.sign_outs)


def test_an_edit_changes_the_entry_that_is_there(site, peer):
    done(save(peer))
    peer.refresh_from_db()
    assert done(save(peer, protocol="TLS", address="10.1.1.2")).state == "succeeded"
    (row,) = site.rows.values()
    assert (row["address"], row["protocol"], site.saves) == ("10.1.1.2", "TLS", 2)


def test_an_entry_that_stands_without_a_known_password_is_not_saved(site, peer):
    done(save(peer))
    peer.refresh_from_db()
    Peer.objects.update(password="")
    job = lifecycle.provision_peer(Peer.objects.get(), CONSOLE)
    assert done(job).state == Job.State.SUCCEEDED
    assert site.saves == 1


@pytest.mark.servers
@pytest.mark.parametrize("place", ["before-write", "before-save", "after-write"])
def test_a_killed_worker_saves_once(site, peer, place):
    job = save(peer)
    killed_at(job, f"provision:{place}")
    expire_leases()
    assert done(job).state == Job.State.SUCCEEDED
    assert (site.saves, len(site.rows)) == (1, 1)


@pytest.mark.servers
@pytest.mark.parametrize(("place", "saves"), [("before-save", 1), ("after-write", 2)])
def test_a_killed_worker_that_saves_only_a_password_says_so(site, peer, place, saves):
    done(save(peer))
    peer.refresh_from_db()
    job = save(peer)
    killed_at(job, f"provision:{place}")
    expire_leases()
    job = done(job)
    assert (job.state, job.error_code) == (Job.State.NEEDS_ATTENTION, "page_unseen")
    assert site.saves == saves


@pytest.mark.servers
def test_a_worker_killed_after_a_manual_sync_starts_no_second_one(site, peer):
    done(save(peer))
    job = ManualSync.submit(peer, CONSOLE, certificates=True)
    killed_at(job, "sync:after-write")
    expire_leases()
    job = done(job)
    assert (job.state, job.error_code) == (Job.State.NEEDS_ATTENTION, "page_unseen")
    assert site.syncs == [True]


@pytest.mark.servers
@pytest.mark.parametrize("place", ["before-write", "after-write"])
def test_a_worker_killed_while_it_removes_deletes_once(site, peer, place):
    done(save(peer))
    job = lifecycle.submit_removal(peer, CONSOLE)
    killed_at(job, f"remove:{place}")
    expire_leases()
    assert done(job).state == Job.State.SUCCEEDED
    assert (site.rows, site.deletes) == ({}, 1)
    assert not Peer.objects.exists()


def test_a_save_whose_answer_is_lost_is_read_back_and_not_repeated(site, peer):
    site.faults = {"lost"}
    job = done(save(peer))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert "unclear" in detail(job)
    assert site.saves == 1


FAILED, ATTENTION = Job.State.FAILED, Job.State.NEEDS_ATTENTION


@pytest.mark.parametrize(
    ("fault", "state", "code", "saves"),
    [
        ("ignored", ATTENTION, PageCode.NOT_SAVED, 1),
        ("error", FAILED, PageCode.REFUSED, 1),
        ("duplicate", FAILED, PageCode.DUPLICATE, 1),
        ("token", FAILED, PageCode.TOKEN, 0),
        ("expired", FAILED, PageCode.SESSION_ENDED, 0),
        ("limit", FAILED, PageCode.SESSION_LIMIT, 0),
        ("locked", FAILED, PageCode.LOCKED, 0),
        ("sso", FAILED, PageCode.SINGLE_SIGN_ON, 0),
        ("denied", FAILED, PageCode.DENIED, 0),
        ("read-only", FAILED, PageCode.READ_ONLY, 0),
        ("host", FAILED, PageCode.HOST, 0),
        ("menu", FAILED, PageCode.MENU, 0),
        ("label", FAILED, PageCode.LABEL, 0),
        ("alert", FAILED, PageCode.QUESTION, 0),
        ("confirm", FAILED, PageCode.QUESTION, 0),
        ("extra", FAILED, PageCode.REQUIRED, 0),
        ("half", FAILED, PageCode.INCOMPLETE, 0),
        ("script", FAILED, PageCode.SCRIPT, 0),
    ],
)
def test_bad_cases_end_truthfully_without_a_second_save(
    site, peer, fault, state, code, saves
):
    site.faults = {fault}
    site.read_only = fault == "read-only"
    site.address_label = "Remote Thing" if fault == "label" else "Peer Address"
    job = done(save(peer))
    assert (job.state, job.error_code, site.saves) == (state, code, saves)
    sentence = EXPLANATIONS[code].sentence.format(node="node.test")
    assert job.error.startswith(sentence.rstrip("."))
    assert job.error.startswith(sentence) == (code not in PagesError.quoting)
    assert site.rows == {}
    peer.refresh_from_db()
    assert peer.provisioning_state == Peer.ProvisioningState.FAILED


def test_no_step_or_error_holds_a_password(site, peer):
    site.faults = {"error"}
    job = done(save(peer))
    reported = [(step.detail, step.memo) for step in JobStep.objects.filter(job=job)]
    for secret in ("secret", PASSWORD):
        assert secret not in f"{reported} {job.error} {job.arguments}"


def test_the_description_holds_words_and_no_values(site, cluster, peer):
    done(save(peer))
    job = done(DescribePages.submit(cluster, CONSOLE))
    assert job.state == Job.State.SUCCEEDED, job.error
    cluster.refresh_from_db()
    found = page_structure.structure_data(cluster)
    assert found["state"] == "ok"
    reported = str(found)
    assert "Preferred Protocol" in reported
    assert "Test Description" in reported
    for value in ("10.1.1.1", "intercluster'", "node.test", "administrator", PASSWORD):
        assert value not in reported


def test_a_description_of_pages_not_recognised_says_where(site, cluster):
    site.address_label = "Remote Thing"
    site.rows = {"1": {"address": "10.1.1.1", "username": "u", "protocol": "TCP"}}
    done(DescribePages.submit(cluster, CONSOLE))
    cluster.refresh_from_db()
    found = page_structure.structure_data(cluster)
    assert (found["state"], bool(found["problem"])) == ("failed", True)
    assert "Remote Thing" in str(found["description"])


def test_the_description_is_a_file_to_download(site, cluster, client, administrator):
    client.force_login(administrator)
    url = reverse("clusters:pages_description", args=[cluster.pk])
    assert client.get(url).status_code == 404
    started = client.post(reverse("clusters:describe_pages", args=[cluster.pk]))
    done(Job.objects.get(kind=DescribePages.name))
    answer = client.get(url)
    assert (started.status_code, answer.status_code) == (302, 200)
    assert "attachment" in answer["Content-Disposition"]
    assert answer.json()["state"] == "ok"


@pytest.mark.parametrize("chosen", [{}, {"certificates": "on"}])
def test_a_manual_sync_is_a_job(site, peer, client, administrator, chosen):
    done(save(peer))
    client.force_login(administrator)
    url = reverse("peers:force_sync", args=[peer.pk])
    assert client.get(url).status_code == 200
    client.post(url, chosen)
    job = done(Job.objects.get(kind=ManualSync.name))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert site.syncs == [bool(chosen)]


def test_a_manual_sync_is_started_by_rest(site, peer, cluster, administrator, api):
    done(save(peer))
    client, url = api(administrator), f"/api/v1/peers/{peer.pk}/manual-sync/"
    assert client.post(url, {"certificates": "perhaps"}).status_code == 400
    assert client.post(url, {"certificates": True}).status_code == 202
    assert client.post(url).status_code == 409
    assert done(Job.objects.get(kind=ManualSync.name)).state == Job.State.SUCCEEDED
    assert site.syncs == [True]
    Cluster.objects.update(provisioning="guided")
    assert client.post(url).status_code == 409


def test_a_manual_sync_that_was_cut_off_is_not_started_again(site, peer):
    done(save(peer))
    job = ManualSync.submit(peer, CONSOLE, certificates=False)
    job.steps.update(memo={"sent": True})
    assert done(job).state == Job.State.NEEDS_ATTENTION
    assert site.syncs == []


@pytest.mark.parametrize(
    ("fault", "shown"), [("", "Recognised"), ("label", "Not all"), ("sso", "Not read")]
)
def test_the_clusters_page_says_what_was_recognised(
    site, cluster, client, administrator, fault, shown
):
    site.faults = {fault}
    site.rows = {"1": {"address": "10.1.1.1", "username": "u", "protocol": "TCP"}}
    site.address_label = "Remote Thing" if fault == "label" else "Peer Address"
    done(DescribePages.submit(cluster, CONSOLE))
    client.force_login(administrator)
    text = client.get(cluster.get_absolute_url()).content.decode()
    assert shown in text
    assert "Download description" in text
