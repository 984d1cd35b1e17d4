import re

from accounts.audit import Actor
from clusters.models import Node
from jobs.models import Job
from services.jobs.refresh import RefreshServices
from services.models import sync_agents
from tests.services.conftest import done


def test_reads_the_services_of_all_nodes_in_one_job(nodes):
    job = done(RefreshServices.submit(nodes, Actor()))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert all(node.services.count() > 15 for node in nodes)
    assert {agent.state for agent in sync_agents()} == {"started"}


def test_each_node_has_a_step_with_what_was_found(nodes):
    job = done(RefreshServices.submit(nodes, Actor()))
    assert {step.state for step in job.steps.all()} == {"done"}
    assert "are started" in job.steps.first().detail
    assert (job.done, job.total) == (4, 4)


def test_a_refresh_that_reads_no_node_has_failed(nodes):
    Node.objects.update(certificate_state=Node.CertificateState.CHANGED)
    job = done(RefreshServices.submit(nodes, Actor()))
    assert job.state == Job.State.FAILED
    assert re.findall(r"\d+", job.error) == ["4", "4"]
