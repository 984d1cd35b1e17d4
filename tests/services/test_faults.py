"""The lab misbehaves; every job ends, and with the truth."""

import re

import pytest

from accounts.audit import Actor
from jobs.models import Job
from jobs.run import Run
from services import decisions
from services.jobs import control
from services.jobs.control import ControlServices
from services.jobs.refresh import RefreshServices
from services.models import NodeReading, Service, sync_agents
from tests.services.conftest import agent_on, done
from wire import Code


@pytest.fixture
def node(read_nodes):
    """The node that everything is done with; trouble begins after its first reading."""
    return read_nodes[0]


@pytest.fixture
def trouble(lab, node):
    """The lab's side of the node."""
    found = next(n for c in lab.clusters for n in c.nodes if n.name == node.name)
    yield found
    found.clear_faults()
    found.service(agent_on(node).name).set("Started")


def run(action, node):
    job = done(ControlServices.submit(action, [agent_on(node)], Actor()))
    return job, job.steps.get()


def commands(trouble, since):
    return [
        c for c in list(trouble.calls)[since:] if "DoControlServices" in c.operation
    ]


def test_a_node_that_is_down_is_unreachable_and_its_past_is_kept(nodes, node, trouble):
    trouble.set_fault("node", "down")
    job = done(RefreshServices.submit(nodes, Actor()))
    assert job.state == Job.State.SUCCEEDED
    step = job.steps.get(state="failed")
    assert re.findall(r"\d+", job.error)[:2] == ["1", "4"]
    assert job.error.endswith(step.detail)
    assert NodeReading.objects.get(pk=node.pk).error_code == Code.REFUSED
    assert agent_on(node).status == "unknown"
    assert agent_on(node).last_status == "started"
    states = {agent.node.pk: agent.state for agent in sync_agents()}
    assert states.pop(node.pk) == "unreachable"
    assert set(states.values()) == {"started"}


def test_starting_for_ever_ends_and_says_so(node, trouble, monkeypatch):
    monkeypatch.setattr(decisions, "SETTLE_TIMEOUT", 1.0)
    trouble.service(agent_on(node).name).set("Stopped")
    trouble.set_fault("control_center", "stuck")
    job, step = run("start", node)
    assert job.state == Job.State.FAILED
    assert "Still starting" in step.detail


def test_a_command_that_is_refused_says_why(node, trouble):
    trouble.set_fault("control_center", "refuse:-1042")
    job, step = run("stop", node)
    assert job.state == Job.State.FAILED
    assert "-1042" in step.detail


def fault_at_the_command(monkeypatch, trouble, fault):
    real = control.send_command

    def send(*arguments):
        monkeypatch.setattr(control, "send_command", real)
        trouble.set_fault("control_center", fault)
        return real(*arguments)

    monkeypatch.setattr(control, "send_command", send)


@pytest.mark.parametrize("fault", ["hang-up*1", "cut-body*1", "reset*1"])
def test_a_lost_answer_to_a_command_is_read_back(node, trouble, monkeypatch, fault):
    fault_at_the_command(monkeypatch, trouble, fault)
    started = len(trouble.calls)
    job, step = run("stop", node)
    assert job.state == Job.State.SUCCEEDED, step.detail
    assert len(commands(trouble, started)) == 1


def test_a_rate_fault_in_the_middle_is_waited_out(node, trouble, monkeypatch):
    monkeypatch.setattr(control, "BACK_OFF", 0.3)
    fault_at_the_command(monkeypatch, trouble, "throttle*1")
    job, step = run("stop", node)
    assert job.state == Job.State.SUCCEEDED, step.detail


def test_a_job_says_how_it_stands_while_it_waits(node, trouble, monkeypatch):
    sentence = []
    real = Run.pause

    def pause(run, seconds):
        sentence.extend(step.detail for step in run.steps().values())
        real(run, seconds)

    monkeypatch.setattr(Run, "pause", pause)
    monkeypatch.setattr(control, "BACK_OFF", 0.3)
    fault_at_the_command(monkeypatch, trouble, "throttle*1")
    job, step = run("stop", node)
    assert decisions.RATED in sentence
    assert any("stopping" in text for text in sentence)
    assert step.detail.startswith("Stopped")


def test_a_node_that_refuses_for_ever_is_given_up(node, trouble, monkeypatch):
    monkeypatch.setattr(control, "BACK_OFF", 0.1)
    trouble.set_fault("control_center", "throttle")
    job, step = run("stop", node)
    assert job.state == Job.State.FAILED
    assert "fewer requests" in step.detail


def test_a_node_that_dies_after_the_command_needs_attention(node, trouble, monkeypatch):
    monkeypatch.setattr(decisions, "SETTLE_TIMEOUT", 1.0)
    real = control.send_command

    def send(*arguments):
        answers = real(*arguments)
        trouble.set_fault("node", "down")
        return answers

    monkeypatch.setattr(control, "send_command", send)
    job, step = run("stop", node)
    assert job.state == Job.State.NEEDS_ATTENTION
    assert step.state == "unknown"


def test_a_retry_reads_back_what_was_unknown(node, trouble, monkeypatch):
    test_a_node_that_dies_after_the_command_needs_attention(node, trouble, monkeypatch)
    trouble.clear_faults()
    started = len(trouble.calls)
    job = Job.objects.get(state=Job.State.NEEDS_ATTENTION)
    job.retry()
    assert done(job).state == Job.State.SUCCEEDED
    assert commands(trouble, started) == []


def test_a_retry_asks_once_more_for_what_had_no_effect(node, trouble, monkeypatch):
    monkeypatch.setattr(decisions, "GRACE", 0.0)
    name = agent_on(node).name
    trouble.service(name).set("Stopped")
    trouble.set_fault("control_center", "stuck")
    real = control.send_command

    def send(*arguments):
        Job.objects.update(cancel_requested=True)
        return real(*arguments)

    monkeypatch.setattr(control, "send_command", send)
    job, step = run("start", node)
    assert (job.state, step.state) == (Job.State.CANCELLED, "unknown")
    monkeypatch.setattr(control, "send_command", real)
    trouble.clear_faults()
    trouble.service(name).set("Stopped")
    started = len(trouble.calls)
    job.retry()
    assert done(job).state == Job.State.SUCCEEDED, job.error
    assert len(commands(trouble, started)) == 1


def test_after_too_many_failures_the_rest_is_left_alone(nodes, node, trouble, lab):
    for cluster in lab.clusters:
        cluster.set_fault("control_center", "refuse:-1042")
    agents = list(Service.objects.with_node().sync_agents())
    job = done(ControlServices.submit("stop", agents, Actor()))
    for cluster in lab.clusters:
        cluster.clear_faults()
    states = sorted(step.state for step in job.steps.all())
    assert states == ["failed", "skipped", "skipped", "skipped"]
    assert re.findall(r"\d+", job.error)[:3] == ["1", "4", "3"]
    assert "-1042" in job.error


def test_a_cancelled_job_does_not_say_that_it_succeeded(node, trouble, monkeypatch):
    real = control.send_command

    def send(*arguments):
        Job.objects.update(cancel_requested=True)
        return real(*arguments)

    monkeypatch.setattr(control, "send_command", send)
    job, step = run("stop", node)
    assert job.state == Job.State.CANCELLED
    assert step.state == "unknown"
