from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from clusters.models import Cluster
from diagnostics.jobs.troubleshoot import Troubleshoot
from diagnostics.models import TroubleshooterRun
from jobs.engine import perform_job
from jobs.models import Job
from jobs.run import Run
from tests.diagnostics.conftest import AGENT, carried
from tests.waiting import eventually


def run_now(clusters=None, **options):
    run = Troubleshoot.submit(clusters or Cluster.objects.all(), **options)
    # Without the worker's heartbeat, which would wait for this test's transaction.
    Troubleshoot(Run(Job.objects.claim(str(run.job.pk), "test"))).work()
    run.refresh_from_db()
    return run


def found(outcome="failed"):
    run = run_now()
    return {row.code for row in run.results.filter(outcome=outcome)}


def unexplained():
    """The failed tests that are not told to be the consequence of another."""
    return {
        row.code for row in wrong_tests(run_now()) if "caused_by" not in row.details
    }


def wrong_tests(run):
    rows = run.results.filter(outcome__in=["failed", "warning"])
    # How fast nodes answer is how busy this machine is.
    return rows.exclude(code="response_time")


def test_a_healthy_mesh_has_no_failed_test_and_no_warning(peering):
    run = run_now()
    assert [(row.code, row.subject, row.problem) for row in wrong_tests(run)] == []
    assert run.totals["passed"] > 60


def test_a_run_keeps_the_table_of_peers(peering):
    rows = run_now().peers
    assert [(row["associated_users"], row["remote_users"]) for row in rows] == [
        (8, 8),
        (12, 12),
    ]


def stop_agent(lab):
    lab.clusters[1].nodes[1].service(AGENT).set("Stopped")


def stop_sip_proxy(lab):
    lab.clusters[1].nodes[1].service("Cisco UP SIP Proxy").set("Stopped")


def remove_entry(lab):
    lab.clusters[1].remove_peer(lab.clusters[0].publisher.address)


def other_protocol(lab):
    home, remote = lab.clusters
    remote.remove_peer(home.publisher.address)
    remote.add_peer(
        home.publisher.address,
        home.intercluster_username,
        home.intercluster_password,
        "UDP",
    )


def unassign(lab):
    lab.clusters[1].set_fault("users", "unassigned")
    assert eventually(lambda: carried(lab))


def on(place, area, value):
    def spoil(lab):
        cluster = lab.clusters[1]
        target = cluster.nodes[place] if place is not None else cluster
        target.set_fault(area, value)

    return spoil


def on_service(name, place=1):
    def stop(lab):
        lab.clusters[1].nodes[place].service(f"Cisco UP {name}").set("Stopped")

    return stop


FAULTS = [
    (stop_agent, "sync_agent"),
    (stop_sip_proxy, "sip_proxy_service"),
    (remove_entry, "provisioned"),
    (other_protocol, "provisioned"),
    (on(1, "node", "down"), "node_reachable"),
    (on(0, "node", "down"), "node_reachable"),
    (on(1, "axl", "off"), "node_axl"),
    (on(1, "axl", "no-role"), "axl_user"),
    (on(1, "tls", "changed"), "node_certificate"),
    (on(1, "tls", "expired"), "certificate_expiry node_certificate"),
    (on(1, "clock", "400"), "clock"),
    (on(1, "sip", "503"), "sip_answers"),
    (on(1, "dns", "nxdomain"), "dns_forward"),
    (on(1, "dns", "no-ptr"), "dns_reverse"),
    (on(None, "users", "duplicate"), "unique_userids"),
    (on(None, "users", "duplicate-uri"), "unique_uris"),
    (on(None, "users", "invalid-uri"), "valid_uris"),
    (on(None, "users", "duplicate-mail"), "unique_mails"),
    (on(None, "topology", "failover"), "ha_normal"),
    (on(None, "topology", "free-node"), "assigned_nodes"),
    (on(None, "topology", "no-ha"), "ha_enabled"),
    (on(None, "sync", "failed"), "sync_data"),
    (on_service("Sync Agent", 0), "sync_agent_service"),
    (on_service("Presence Engine"), "presence_engine_service"),
    (on_service("XCP Router"), "xcp_router_service"),
    (on_service("XCP Connection Manager"), "xcp_connection_manager_service"),
    (on_service("XCP Authentication Service"), "xcp_authentication_service"),
    (on_service("OAM Agent"), "oam_agent_service"),
    (on_service("Config Agent"), "config_agent_service"),
    (unassign, "unassigned_users"),
    (on(None, "peers", "one-sided"), "provisioned"),
]


@pytest.mark.parametrize(("spoil", "code"), FAULTS)
def test_a_fault_is_found_by_the_test_that_names_it(peering, mesh_lab, spoil, code):
    spoil(mesh_lab)
    # A fault of users reaches the other cluster with the agent's next round.
    eventually(lambda: unexplained() == set(code.split()))
    assert unexplained() == set(code.split())


def test_a_run_of_one_cluster_judges_that_cluster_only(peering):
    run = run_now(Cluster.objects.filter(pk=peering[0].cluster_id))
    names = set(run.results.values_list("cluster_name", flat=True)) - {""}
    assert names == {peering[0].cluster.name}


def test_a_cluster_that_does_not_answer_costs_only_its_own_rows(peering, mesh_lab):
    mesh_lab.clusters[1].set_fault("node", "down")
    run = run_now()
    rows = run.results.filter(cluster_name=peering[0].cluster.name)
    assert not rows.filter(section__startswith="System", outcome="failed").exists()


def test_a_run_that_is_cancelled_says_so(peering):
    run = Troubleshoot.submit(Cluster.objects.all())
    run.job.cancel()
    run = TroubleshooterRun.objects.select_related("job").get()
    assert (run.state, run.active) == ("cancelled", False)


@pytest.mark.django_db(transaction=True)
def test_a_run_that_waits_for_a_silent_cluster_ends_when_cancelled(
    registered, mesh_lab
):
    mesh_lab.clusters[1].set_fault("tls", "stall")
    row = Troubleshoot.submit(Cluster.objects.all())

    def cancel():
        answered = Job.objects.filter(pk=row.job.pk, doing__contains="waiting for")
        try:
            assert eventually(answered.exists)
            row.job.cancel()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        cancelled = pool.submit(cancel)
        perform_job(str(row.job.pk))
        cancelled.result()
    row = TroubleshooterRun.objects.select_related("job").get()
    assert (row.state, row.finished_at) == ("cancelled", None)
    assert [step.state for step in row.job.steps.all()] == ["skipped", "skipped"]
    # Nothing of it was kept: the collection did not come to its end.
    assert not Cluster.objects.exclude(checked_at=None).exists()
