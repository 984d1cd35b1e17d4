import pytest
from django.urls import reverse

from accounts.audit import Actor
from accounts.models import AuditEntry
from jobs.locks import Busy
from jobs.models import Job
from services import requests
from services.jobs.control import ControlServices
from services.models import Service
from tests.services.conftest import agent_on, done


def control(action, *services):
    return ControlServices.submit(action, services, Actor())


def test_stops_and_starts_a_service_for_real(read_nodes, lab):
    agent = agent_on(read_nodes[0])
    assert done(control("stop", agent)).state == Job.State.SUCCEEDED
    assert agent_on(read_nodes[0]).status == "stopped"
    job = done(control("start", agent))
    assert job.state == Job.State.SUCCEEDED, job.error
    assert agent_on(read_nodes[0]).status == "started"


def test_a_service_in_the_wanted_state_gets_no_command(read_nodes, lab):
    job = done(control("start", agent_on(read_nodes[0])))
    assert job.state == Job.State.SUCCEEDED
    step = job.steps.get()
    assert "started" in step.detail and not step.memo.get("sent_at")


def test_restart_waits_for_a_new_run_of_the_service(read_nodes):
    agent = agent_on(read_nodes[1])
    job = done(control("restart", agent))
    assert job.state == Job.State.SUCCEEDED, job.steps.get().detail
    assert agent_on(read_nodes[1]).start_time != agent.start_time


def test_a_second_job_for_the_same_service_is_refused(read_nodes):
    agent = agent_on(read_nodes[0])
    first = control("restart", agent)
    with pytest.raises(Busy) as busy:
        control("stop", agent)
    assert busy.value.job == first
    first.cancel()


def test_the_job_says_what_is_done_on_how_many_and_leads_there(read_nodes):
    proxies = Service.objects.with_node().filter(name__endswith="Tomcat")
    job = control("start", *proxies)
    for named in ("4 nodes", "start", "Cisco Tomcat"):
        assert named in job.target_label
    assert job.target_url == reverse("services:grid")
    job.cancel()
    job = control("restart", *map(agent_on, read_nodes))
    assert job.target_url == reverse("services:agents")
    job.cancel()
    mixed = Service.objects.with_node().filter(node=read_nodes[0])[:2]
    job = control("start", *mixed)
    assert job.target_label.endswith(": start 2 services")


def test_what_must_not_be_stopped_is_refused(read_nodes):
    database = Service.objects.with_node().get(node=read_nodes[0], name="A Cisco DB")
    with pytest.raises(requests.ControlRefused):
        control("restart", database)


def test_who_asked_is_in_the_audit_trail(read_nodes, operator):
    agent = agent_on(read_nodes[0])
    ControlServices.submit("start", [agent], Actor(operator, "192.0.2.7"))
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action) == ("otto", "start services")
    assert entry.changes["services"][1] == [str(agent)]
