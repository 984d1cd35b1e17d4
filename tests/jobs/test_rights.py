"""A job runs with the rights that who requested it has now."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, AuditEntry, ClusterLimit
from accounts.roles import Role
from jobs.engine import perform_job
from jobs.models import Job
from services.jobs import control
from services.models import Service
from services.poll import ServiceReading


@pytest.fixture
def sent(monkeypatch):
    """The commands that a control job sends; reading finds every service started."""
    found = []
    monkeypatch.setattr(control, "send_command", lambda *args: found.append(args) or {})
    return found


@pytest.fixture
def stop(cluster_factory, operator, transactional_db):
    """A queued job of the operator that stops a service."""
    node = cluster_factory("berlin").publisher
    service = Service.objects.create(node=node, name="Cisco AXL", status="started")
    target = {"service": str(service.pk), "node": str(node.pk), "name": service.name}
    return Job.objects.submit(
        "control-services",
        [(str(service.pk), "Stop")],
        target=node,
        arguments={"action": "stop", "targets": [target]},
        user=operator,
    )


def deactivate(user, job):
    user.is_active = False
    user.save(update_fields=["is_active"])


def lose_role(user, job):
    user.groups.set([Group.objects.get_or_create(name="viewer")[0]])


def lose_every_role(user, job):
    user.groups.clear()


def lose_cluster(user, job):
    ClusterLimit.objects.create(user=user, clusters=[])


def be_deleted(user, job):
    user.delete()


WITHDRAWALS = {
    deactivate: "refused-user-inactive",
    lose_role: "refused-role",
    lose_every_role: "refused-role",
    lose_cluster: "refused-clusters",
    be_deleted: "refused-user-deleted",
}


def performed(job):
    perform_job(str(job.pk))
    job.refresh_from_db()
    return job


@pytest.mark.parametrize("withdraw", WITHDRAWALS)
def test_a_waiting_job_ends_refused_when_the_rights_are_gone(
    stop, operator, sent, withdraw
):
    withdraw(operator, stop)
    job = performed(stop)
    assert (job.state, job.error_code) == ("cancelled", WITHDRAWALS[withdraw])
    assert sent == []
    assert job.steps.get().state == "skipped"
    assert AuditEntry.objects.filter(action="end job").count() == 1


@pytest.mark.parametrize("withdraw", WITHDRAWALS)
def test_a_running_job_ends_before_its_next_step(play, operator, withdraw):
    done = []

    def work(run):
        run.do("one", lambda step: done.append(1) or withdraw(operator, run.job))
        run.do("two", lambda step: done.append(2))

    on = (
        [] if withdraw is not lose_cluster else ["00000000-0000-0000-0000-000000000001"]
    )
    job = performed(play(work, user=operator, clusters=on))
    assert (job.state, job.error_code) == ("cancelled", WITHDRAWALS[withdraw])
    assert done == [1]


def test_rights_that_go_while_services_are_read_stop_the_command(
    stop, operator, sent, monkeypatch
):
    def read(nodes, **options):
        deactivate(operator, stop)
        return {node.pk: ServiceReading(node) for node in nodes}

    monkeypatch.setattr(control, "read_services", read)
    monkeypatch.setattr(
        control.ControlServices, "judge", lambda *args: control.Do.COMMAND
    )
    assert performed(stop).error_code == "refused-user-inactive"
    assert sent == []


def token_of(user, **fields):
    return ApiToken.issue(user, "script", Role.OPERATOR, **fields)


def revoke(token):
    token.delete()


def expire(token):
    token.expires_at = timezone.now() - timedelta(seconds=1)
    token.save()


def weaken(token):
    token.role = Role.VIEWER
    token.save()


def confine(token):
    token.clusters = ["00000000-0000-0000-0000-000000000001"]
    token.save()


@pytest.mark.parametrize(
    ("withdraw", "code"),
    [
        (revoke, "refused-token"),
        (expire, "refused-token"),
        (weaken, "refused-role"),
        (confine, "refused-clusters"),
    ],
)
def test_a_job_of_a_token_ends_with_the_token(
    api, operator, cluster_factory, transactional_db, withdraw, code
):
    node = cluster_factory("berlin").publisher
    answer = api(operator).post(f"/api/v1/nodes/{node.pk}/services/refresh/")
    job = Job.objects.get(pk=answer.json()["id"])
    withdraw(ApiToken.objects.get())
    assert performed(job).error_code == code


def test_a_job_of_a_browser_does_not_depend_on_a_token(play, operator):
    token, _ = token_of(operator)
    job = play(lambda run: None, user=operator)
    token.delete()
    assert performed(job).state == "succeeded"


def test_the_console_itself_needs_no_rights(play):
    assert performed(play(lambda run: None, role=Role.ADMINISTRATOR)).error_code == ""


@pytest.fixture
def mesh_job(administrator, db):
    job = Job.objects.submit("set-up-peerings", [], user=administrator)
    Job.objects.update(arguments={"clusters": [], "rounds": []})
    return job


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_cancel_and_retry_on_pages_need_the_role_of_the_kind(
    client_of, operator, administrator, mesh_job, action
):
    state = "queued" if action == "cancel" else "failed"
    Job.objects.update(state=state)
    url = reverse(f"jobs:{action}", args=[mesh_job.pk])
    assert client_of(operator).post(url).status_code == 403
    assert Job.objects.get().state == state
    assert AuditEntry.objects.filter(action="refuse access", actor="otto").exists()
    assert client_of(administrator).post(url).status_code == 302
    assert Job.objects.get().state != state


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_cancel_and_retry_by_rest_need_the_role_of_the_kind(
    api, operator, administrator, mesh_job, action
):
    Job.objects.update(state="queued" if action == "cancel" else "failed")
    url = f"/api/v1/jobs/{mesh_job.pk}/{action}/"
    assert api(operator).post(url).status_code == 403
    assert api(administrator).post(url).status_code == 202


@pytest.mark.parametrize("state", ["running", "failed"])
def test_buttons_are_only_for_those_who_may_use_them(
    client_of, operator, administrator, mesh_job, state
):
    Job.objects.update(state=state)
    url = mesh_job.get_absolute_url()
    buttons = [b"/cancel/", b"/retry/"]
    hidden = client_of(operator).get(url).content
    assert not any(button in hidden for button in buttons)
    displayed = client_of(administrator).get(url).content
    assert any(button in displayed for button in buttons)


def test_a_retried_job_runs_with_the_rights_of_who_retried_it(
    client_of, play, operator, administrator
):
    seen = []
    job = play(lambda run: seen.append(run.job.requester), user=operator)
    deactivate(operator, job)
    assert performed(job).error_code == "refused-user-inactive"
    client_of(administrator).post(reverse("jobs:retry", args=[job.pk]))
    assert performed(job).state == "succeeded"
    assert (seen, job.error_code) == (["ada"], "")
    entry = AuditEntry.objects.get(action="retry job")
    assert (entry.actor, entry.changes) == ("ada", {"requested_by": ["otto", "ada"]})


def test_every_kind_declares_its_role():
    from jobs import kind as kinds

    changing = {"set-up-peerings", "provision-peer", "remove-peer", "import-file"}
    for name, kind in kinds._kinds.items():
        assert isinstance(kind.role, Role)
        assert kind.role == Role.ADMINISTRATOR or name not in changing
    assert kinds.kind_named("of-an-older-release").role == Role.ADMINISTRATOR
