"""After control of services: a run of the tests of these services, and no other."""

import pytest

from accounts.audit import Actor
from diagnostics import receivers
from diagnostics.models import TroubleshooterRun
from jobs.models import Job
from services.jobs.control import ControlServices
from services.models import Service
from tests.diagnostics.conftest import AGENT
from tests.diagnostics.test_troubleshoot import run_now


def controlled(node, name, actor=None):
    """End a job that controlled a service, as a worker would."""
    service = Service.objects.create(node=node, name=name)
    job = ControlServices.submit("start", [service], actor or Actor())
    job.steps.update(state="done")
    run = type("Run", (), {"job": job, "arguments": job.arguments})()
    run.steps = lambda: {step.key: step for step in job.steps.all()}
    ControlServices(run).conclude()
    return job


def test_a_started_sync_agent_is_verified(cluster_factory, operator):
    cluster = cluster_factory("a", generation="cup8")
    job = controlled(cluster.publisher, AGENT, Actor(operator))
    run = TroubleshooterRun.objects.get()
    assert (run.tests, run.whole) == (["sync_agent"], False)
    assert [one["name"] for one in run.clusters] == ["a"]
    assert (run.requested_by, run.reason) == (operator, f"After {job}")


def test_a_service_that_no_test_judges_needs_no_run(cluster_factory):
    controlled(cluster_factory().publisher, "Cisco CDP")
    assert not TroubleshooterRun.objects.exists()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Cisco UP SIP Proxy", "sip_answers"),
        ("Cisco UP SIP Proxy", "sip_proxy_service"),
        ("Cisco UP XCP Router", "xcp_router_service"),
        ("Cisco XCP Router", "xcp_router_service"),
        ("Cisco SIP Proxy", "sip_answers"),
        ("Cisco Intercluster Sync Agent", "sync_agent"),
        ("Cisco AXL Web Service", "node_axl"),
        ("Cisco Tomcat", "control_center"),
        ("Cisco UP Presence Engine", "presence_engine_service"),
    ],
)
def test_each_service_has_the_tests_that_matter(cluster_factory, name, code):
    cluster = cluster_factory(generation="cup8")
    assert code in receivers.tests_of(cluster, {name})


def test_such_a_run_asks_and_tells_no_more_than_that(peering):
    run = run_now(tests=["sync_agent", "sip_proxy_service"])
    codes = set(run.results.values_list("code", flat=True))
    assert codes == {"sync_agent", "sip_proxy_service"}
    assert run.peers == []
    assert set(run.results.values_list("outcome", flat=True)) == {"passed"}


def test_it_does_not_stand_for_the_state_of_everything(peering):
    whole = run_now()
    run_now(tests=["sync_agent"])
    assert TroubleshooterRun.objects.of_everything() == whole
    assert Job.objects.filter(kind="troubleshoot").count() == 2
