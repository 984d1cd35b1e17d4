"""Each source: code, severity, what it affects, its fix, and that it ends."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster, Node
from diagnostics.models import TroubleshooterResult, TroubleshooterRun
from jobs.models import Job
from mesh.models import ObservedPeerTable
from overview.sources import nodes
from peers.models import Peer
from services.models import NodeReading, Service
from tests.overview.conftest import make_healthy
from wire import Code


def labels(problem):
    return {(one["type"], one["label"]) for one in problem.affects}


def peers_of(problem):
    return {one["id"] for one in problem.affects if one["type"] == "peer"}


def test_healthy_clusters_have_no_problem(pair, problems):
    assert problems() == []


# The form of the cluster, on the field that is wrong.
REFUSED = "clusters:edit_cluster#id_axl_password"
ROLE = "clusters:edit_cluster#id_axl_username"


@pytest.mark.parametrize(
    ("contact", "code", "severity", "page"),
    [
        ("refused", "node_unreachable", "failed", "clusters:show_node"),
        ("timeout", "node_unreachable", "failed", "clusters:show_node"),
        ("unresolvable", "node_unreachable", "failed", "clusters:edit_node#id_address"),
        ("unauthorized", "credentials_refused", "failed", REFUSED),
        ("secret", "credentials_refused", "failed", REFUSED),
        ("forbidden", "role_missing", "failed", ROLE),
        ("axl_off", "node_axl", "failed", "services:show"),
        ("late", "node_late", "unknown", "clusters:show_node"),
    ],
)
def test_node_that_cannot_be_used(pair, only, problems, contact, code, severity, page):
    pair.node(contact_code=contact, contact_error="It does not work.")
    pair.set(pair.there, ("connect",), ("axl", "unknown"), ("sip",))
    pair.set(pair.back, ("provisioned", "unknown"), outcome="unknown")
    found = only()
    node = pair.remote.publisher
    page, mark, field = page.partition("#")
    target = pair.remote if page == "clusters:edit_cluster" else node
    assert (found.code, found.severity) == (code, severity)
    assert found.fix_url == reverse(page, args=[target.pk]) + mark + field
    assert peers_of(found) == {str(pair.there.pk), str(pair.back.pk)}
    assert ("node", node.name) in labels(found)
    pair.node(contact_code="", contact_error="")
    Peer.objects.update(outcome="passed", entries=[])
    assert problems() == []


def test_refused_password_names_the_cluster(pair, only):
    pair.node(contact_code="unauthorized")
    found = only()
    assert "cup2" in found.sentence
    assert nodes.REFUSED[Code.UNAUTHORIZED] in found.sentence


def test_cluster_whose_nodes_are_all_silent_is_one_problem(pair, only):
    node = pair.remote.publisher
    other = Node.objects.create(
        cluster=pair.remote,
        name="sub",
        address="127.66.2.9",
        role="subscriber",
        certificate_state="trusted",
    )
    Node.objects.filter(cluster=pair.remote).update(contact_code="timeout")
    Service.objects.filter(node=node).update(status="unknown")
    NodeReading.objects.filter(node=node).update(error_code="timeout")
    Cluster.objects.filter(pk=pair.remote.pk).update(health="failed")
    found = only()
    assert (found.code, found.severity) == ("cluster_unreachable", "failed")
    assert labels(found) == {("node", node.name), ("node", other.name)}


@pytest.mark.parametrize(
    ("state", "code", "severity"),
    [
        ("changed", "certificate_changed", "failed"),
        ("unknown", "certificate_unconfirmed", "warning"),
    ],
)
def test_certificate_that_is_not_confirmed(pair, only, problems, state, code, severity):
    pair.node(certificate_state=state, contact_code=f"certificate_{state}")
    pair.set(pair.there, ("certificate",), ("axl", "unknown"), ("credentials",))
    Cluster.objects.filter(pk=pair.remote.pk).update(health="unknown")
    found = only()
    assert (found.code, found.severity) == (code, severity)
    node = pair.remote.publisher
    assert found.fix_url == reverse("clusters:certificate", args=[node.pk])
    assert peers_of(found) == {str(pair.there.pk)}
    pair.node(certificate_state="trusted", contact_code="")
    Cluster.objects.update(health="ok")
    Peer.objects.update(outcome="passed", entries=[])
    assert problems() == []


def test_silent_node_is_the_cause_before_its_unconfirmed_certificate(pair, only):
    pair.node(certificate_state="unknown", contact_code="timeout")
    Cluster.objects.filter(pk=pair.remote.pk).update(health="failed")
    assert (only().code, only().severity) == ("node_unreachable", "failed")


@pytest.mark.parametrize(
    ("days", "code", "severity"),
    [(-1, "certificate_expired", "failed"), (10, "certificate_expiring", "warning")],
)
def test_certificate_that_ends(pair, only, problems, days, code, severity):
    ends = timezone.now() + timedelta(days=days, hours=1)
    pair.node(certificate_not_after=ends)
    pair.set(pair.there, ("certificate", severity), outcome=severity)
    found = only()
    assert (found.code, found.severity) == (code, severity)
    assert peers_of(found) == {str(pair.there.pk)}
    pair.node(certificate_not_after=timezone.now() + timedelta(days=400))
    Peer.objects.update(outcome="passed", entries=[])
    assert problems() == []


def test_stopped_agent_is_one_problem_with_all_peers(pair, only, problems):
    services = Service.objects.filter(node=pair.remote.publisher)
    services.update(status="stopped")
    Cluster.objects.filter(pk=pair.remote.pk).update(health="warning")
    pair.set(pair.there, ("sync_agent_remote",), ("associated_users",))
    pair.set(pair.back, ("sync_agent_local",), ("associated_users",))
    found = only()
    assert (found.code, found.severity) == ("agent_stopped", "failed")
    assert found.fix_url == reverse("services:agents")
    assert peers_of(found) == {str(pair.there.pk), str(pair.back.pk)}
    services.update(status="started")
    Cluster.objects.update(health="ok")
    Peer.objects.update(outcome="passed", entries=[])
    assert problems() == []


@pytest.mark.parametrize(
    ("status", "code", "severity"),
    [
        ("starting", "agent_starting", "warning"),
        ("stopping", "agent_stopping", "warning"),
        ("unknown", "agent_unknown", "unknown"),
    ],
)
def test_agent_that_is_not_running(pair, only, status, code, severity):
    Service.objects.filter(node=pair.remote.publisher).update(status=status)
    found = only()
    assert (found.code, found.severity) == (code, severity)


def test_agent_that_does_not_exist(pair, only):
    Service.objects.filter(node=pair.remote.publisher).delete()
    assert (only().code, only().severity) == ("agent_absent", "failed")


def test_services_that_cannot_be_read(pair, only, problems):
    readings = NodeReading.objects.filter(node=pair.remote.publisher)
    readings.update(error_code="http", error="It answers 500.")
    Service.objects.filter(node=pair.remote.publisher).update(status="unknown")
    found = only()
    assert (found.code, found.severity) == ("services_unread", "unknown")
    assert found.fix_url == reverse("services:show", args=[pair.remote.publisher.pk])
    readings.update(error_code="")
    Service.objects.update(status="started")
    assert problems() == []


def test_cluster_that_was_never_checked(pair, only):
    Cluster.objects.filter(pk=pair.remote.pk).update(health="unknown", checked_at=None)
    found = only()
    assert (found.code, found.severity) == ("cluster_unchecked", "unknown")
    assert found.fix_url == pair.remote.get_absolute_url()


@pytest.mark.parametrize("health", ["failed", "warning", "unknown"])
def test_health_that_nothing_explains_is_a_problem(pair, only, problems, health):
    Cluster.objects.filter(pk=pair.remote.pk).update(health=health)
    found = only()
    assert (found.code, found.severity) == ("cluster_health", health)
    Cluster.objects.update(health="ok")
    assert problems() == []


def test_cluster_without_a_publisher(pair, only):
    pair.remote.publisher.delete()
    pair.set(pair.there, ("connect", "unknown"), outcome="unknown")
    found = only()
    assert (found.code, found.severity) == ("no_publisher", "unknown")
    assert found.fix_url == reverse("clusters:add_node", args=[pair.remote.pk])


def test_entry_without_a_matching_one(pair, only, problems, peer_factory):
    pair.back.delete()
    pair.set(pair.there, ("reverse_peer",), ("protocol_match", "unknown"))
    found = only()
    assert (found.code, found.severity) == ("entry_missing", "failed")
    sides = f"one={pair.remote.pk}&other={pair.home.pk}"
    assert found.fix_url == f"{reverse('mesh:set_up')}?{sides}"
    assert peers_of(found) == {str(pair.there.pk)}
    peer_factory(
        pair.remote,
        pair.home,
        outcome="passed",
        provisioning_state="applied",
        checked_at=timezone.now(),
    )
    Peer.objects.update(outcome="passed", entries=[])
    assert problems() == []


def test_pair_without_entries_is_proposed(pair, only):
    Peer.objects.all().delete()
    found = only()
    assert (found.code, found.severity) == ("mesh_incomplete", "warning")
    assert "one=" in found.fix_url and "other=" in found.fix_url


def test_many_pairs_without_entries_are_one_problem(pair, only, cluster_factory):
    make_healthy(cluster_factory("cup3"))
    found = only()
    assert found.fix_url == reverse("mesh:complete")
    assert found.sentence.startswith("2 pairs")


def test_entry_that_the_console_does_not_manage(pair, only):
    entry = ["stranger.example.net", "user", "TCP", ""]
    ObservedPeerTable.objects.create(
        cluster=pair.home, entries=[entry], read_at=timezone.now()
    )
    found = only()
    assert (found.code, found.severity) == ("entry_unmanaged", "warning")
    assert found.fix_url.startswith("/administration/presence/mesh/adopt/")


@pytest.mark.parametrize(
    ("state", "more", "code", "severity"),
    [
        ("absent", {}, "entry_removed", "failed"),
        ("absent", {"applied_address": ""}, "entry_absent", "failed"),
        ("applied", {"drift": {"protocol": "TLS"}}, "entry_differs", "failed"),
        ("failed", {}, "entry_failed", "failed"),
        ("pending", {}, "entry_pending", "warning"),
    ],
)
def test_entry_that_is_not_right(pair, only, problems, state, more, code, severity):
    rows = Peer.objects.filter(pk=pair.there.pk)
    rows.update(provisioning_state=state, **more)
    pair.set(pair.there, ("protocol_match",), ("provisioned",), ("associated_users",))
    pair.set(pair.back, ("reverse_peer",), ("protocol_match",), ("associated_users",))
    found = only()
    assert (found.code, found.severity) == (code, severity)
    assert peers_of(found) == {str(pair.there.pk), str(pair.back.pk)}
    good = {"provisioning_state": "applied", "drift": {}, "outcome": "passed"}
    Peer.objects.update(**good, entries=[])
    assert problems() == []


def test_entry_that_waits_for_a_person(pair, only):
    Cluster.objects.filter(pk=pair.home.pk).update(provisioning="guided")
    Peer.objects.filter(pk=pair.there.pk).update(provisioning_state="pending")
    found = only()
    assert (found.code, found.severity) == ("entry_waiting", "warning")
    assert found.fix_url == reverse("peers:guide", args=[pair.there.pk])


def test_entry_that_is_being_removed_waits(pair, only):
    Peer.objects.filter(pk=pair.there.pk).update(removing=True)
    assert only().code == "removal_waiting"


@pytest.mark.parametrize("outcome", ["failed", "warning"])
@pytest.mark.parametrize(
    "code", ["address", "connect", "axl", "credentials", "sip", "associated_users"]
)
def test_trouble_of_a_peer_alone(pair, only, problems, code, outcome):
    pair.set(pair.there, (code, outcome, "It is so.", "/x/"), outcome=outcome)
    found = only()
    assert (found.code, found.severity) == (f"peer_{code}", outcome)
    assert peers_of(found) == {str(pair.there.pk)}
    Peer.objects.update(outcome="passed", entries=[])
    assert problems() == []


def test_what_follows_from_a_dead_address_is_no_other_problem(pair, only):
    rest = [(code, "unknown") for code in ("connect", "axl", "credentials", "sip")]
    pair.set(pair.there, ("address",), *rest, ("associated_users",))
    pair.set(pair.back, ("associated_users",))
    assert only().code == "peer_address"


def test_peers_whose_table_cannot_be_read_are_unknown_together(pair, only):
    pair.set(pair.there, ("provisioned", "unknown"), outcome="unknown")
    pair.set(pair.back, ("reverse_peer", "unknown"), outcome="unknown")
    found = only()
    assert (found.code, found.severity) == ("peers_unread", "unknown")
    assert found.fix_url == reverse("clusters:peer_table", args=[pair.home.pk])
    assert peers_of(found) == {str(pair.there.pk), str(pair.back.pk)}


def test_peer_of_a_cluster_that_is_not_managed(pair, only, problems):
    peer = Peer(cluster=pair.home, address="far.example.net", outcome="unknown")
    peer.provisioning_state, peer.checked_at = "applied", timezone.now()
    peer.seal("password", "x")
    peer.save()
    pair.set(peer, ("axl", "unknown"), ("reverse_peer", "unknown"), outcome="unknown")
    found = only()
    assert (found.code, found.severity) == ("remote_unmanaged", "unknown")
    peer.delete()
    assert problems() == []


def test_peers_that_were_never_checked(pair, problems):
    Peer.objects.update(outcome="unknown", checked_at=None)
    Peer.objects.filter(pk=pair.back.pk).delete()
    codes = {one.code: one.severity for one in problems()}
    assert codes == {"entry_missing": "failed", "peers_unchecked": "unknown"}


def test_peer_without_a_reason_is_still_a_problem(pair, only):
    pair.set(pair.there, outcome="unknown")
    assert (only().code, only().severity) == ("peer_status", "unknown")


def test_jobs_that_nobody_takes(pair, only, problems):
    job = Job.objects.submit("sweep", [])
    ago = timezone.now() - timedelta(minutes=5)
    Job.objects.filter(pk=job.pk).update(not_before=ago)
    found = only()
    assert (found.code, found.severity) == ("no_worker", "failed")
    assert found.fix_url == f"{reverse('jobs:find')}?state=queued"
    Job.objects.all().delete()
    assert problems() == []


def test_site_without_a_worker(pair, only, problems, settings):
    settings.SITES = ["berlin"]
    Cluster.objects.filter(pk=pair.home.pk).update(site="berlin")
    found = only()
    assert (found.code, found.severity) == ("site_unserved", "warning")
    assert found.fix_url == pair.home.get_absolute_url()
    Cluster.objects.update(site="")
    assert problems() == []


def test_sweeps_that_are_late(pair, only, problems, settings):
    settings.SWEEP_INTERVAL = 60
    Peer.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert (only().code, only().severity) == ("sweep_late", "warning")
    job = Job.objects.submit("sweep", [])
    Job.objects.update(state="succeeded", finished_at=timezone.now())
    assert problems() == [] and job


def test_job_that_needs_action(pair, only, problems):
    job = Job.objects.submit("discover-cluster", [], target=pair.home)
    now = timezone.now()
    Job.objects.update(state="needs_attention", error="Look at it.", finished_at=now)
    found = only()
    assert (found.code, found.severity) == ("job_attention", "warning")
    assert found.fix_url == job.get_absolute_url() and found.since == now
    Job.objects.update(state="succeeded")
    assert problems() == []


def test_job_whose_peer_has_a_problem_is_none_of_its_own(pair, only):
    Job.objects.submit("provision-peer", [], target=pair.there)
    now = timezone.now()
    Job.objects.update(state="needs_attention", error="No.", finished_at=now)
    Peer.objects.filter(pk=pair.there.pk).update(provisioning_state="failed")
    assert only().code == "entry_failed"


def run_with(pair, code, outcome="failed", **more):
    chosen = [{"id": str(c.pk), "name": c.name} for c in Cluster.objects.all()]
    run = TroubleshooterRun.objects.create(
        clusters=chosen, finished_at=timezone.now(), **more
    )
    if code:
        TroubleshooterResult.objects.create(
            run=run,
            position=1,
            code=code,
            description="A test",
            outcome=outcome,
            problem="It fails.",
            fix_url="/fix/",
            cluster=pair.remote,
            cluster_name="cup2",
            node=pair.remote.publisher,
            node_name=pair.remote.publisher.name,
        )
    return run


def test_result_of_the_last_run(pair, only, problems):
    run_with(pair, "response_time", "warning")
    found = only()
    assert (found.code, found.severity) == ("test_response_time", "warning")
    assert found.fix_url == "/fix/"
    assert labels(found) == {("node", pair.remote.publisher.name)}
    run_with(pair, "")
    assert problems() == []


def test_later_partial_run_takes_its_tests_back_only(pair, problems):
    run_with(pair, "response_time", "warning")
    run_with(pair, "", whole=False, tests=["clock"])
    assert [one.code for one in problems()] == ["test_response_time"]
    run_with(pair, "", whole=False, tests=["response_time"])
    assert problems() == []


def test_what_a_status_shows_is_not_taken_from_a_run(pair, problems):
    run_with(pair, "node_reachable")
    assert problems() == []


def test_notice_of_a_cluster_is_told_in_its_own_words(pair, only):
    """As its pages show it; the cluster says no more than a severity of it."""
    said = "Restart the XCP Router."
    TroubleshooterResult.objects.create(
        run=run_with(pair, code=""),
        position=1,
        source=TroubleshooterResult.Source.CLUSTER,
        code="vendor:0123",
        section="Notifications",
        description=said,
        outcome="warning",
        cluster_id=pair.home.pk,
        cluster_name=pair.home.name,
    )
    found = only()
    assert found.code == "test_vendor" and "cup1" in found.sentence
    assert found.sentence.endswith(said)
