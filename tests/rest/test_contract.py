"""Names, fields and status codes that scripts rely on; none of them may go away."""

import pytest

from accounts import audit
from accounts.models import ApiToken
from diagnostics.jobs.troubleshoot import Troubleshoot
from jobs.models import Job
from services.models import Service

API = "/api/v1/"
FIELDS = {
    "clusters": "id name domain description site generation version axl_username "
    "axl_password_set provisioning tls_mode ca_certificate legacy_tls peer_table nodes "
    "health checked_at",
    "nodes": "id cluster name address role axl_port sip_port sip_tls_port "
    "sip_peer_tls_port certificate_fingerprint certificate_state",
    "peers": "id cluster remote_cluster address username password_set protocol "
    "external_phone_number_mask provisioning_state associated_users remote_users "
    "status created_at updated_at",
    "services": "id node cluster name status reason up_time observed_at",
    "jobs": "id kind state progress steps error requested_by target created_at "
    "started_at finished_at",
    "troubleshooter-runs": "id state clusters started_at finished_at totals",
    "audit-entries": "id at actor action object_type object_id object_label changes "
    "address",
    "tokens": "id name role expires_at last_used_at prefix",
}
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def things(cluster_factory, peer_factory):
    """A row of each resource."""
    home, remote = cluster_factory("berlin"), cluster_factory("vienna")
    peer = peer_factory(home, remote)
    service = Service.objects.create(node=home.publisher, name="Cisco XCP Router")
    run = Troubleshoot.submit([home])
    job = Job.objects.submit("test-cluster", [("a", "A")], target=home)
    audit.append_entry(audit.CONSOLE, "edit", peer)
    return {
        "clusters": home,
        "nodes": home.publisher,
        "peers": peer,
        "services": service,
        "jobs": job,
        "troubleshooter-runs": run,
    }


@pytest.fixture
def ada(administrator, api):
    return api(administrator)


@pytest.mark.parametrize("resource", FIELDS)
def test_a_list_and_its_rows_have_the_fields_of_the_contract(ada, things, resource):
    page = ada.get(f"{API}{resource}/").json()
    assert set(page) == {"count", "next", "previous", "results"}
    row = page["results"][0]
    assert set(FIELDS[resource].split()) <= set(row)
    alone = ada.get(f"{API}{resource}/{row['id']}/").json()
    assert set(FIELDS[resource].split()) <= set(alone)
    assert not {"axl_password", "password", "token", "secret"} & set(alone)


def test_a_job_tells_progress_steps_and_target(ada, things):
    reported = ada.get(f"{API}jobs/{things['jobs'].pk}/").json()
    assert reported["progress"] == {"done": 0, "total": 1}
    step = {"label", "state", "detail", "started_at", "finished_at"}
    assert [set(one) for one in reported["steps"]] == [step]
    assert reported["state"] == "queued"


def test_a_run_tells_totals_and_sections(ada, things):
    reported = ada.get(f"{API}troubleshooter-runs/{things['troubleshooter-runs'].pk}/")
    assert set(reported.json()["totals"]) == {
        "passed",
        "failed",
        "warning",
        "information",
    }
    assert reported.json()["sections"] == []


def test_a_peer_tells_its_status(ada, things):
    reported = ada.get(f"{API}peers/{things['peers'].pk}/").json()["status"]
    assert reported == {"outcome": "unknown", "checked_at": None, "entries": []}


def test_only_the_answer_to_post_shows_a_token(ada):
    made = ada.post(f"{API}tokens/", {"name": "script"})
    assert made.status_code == 201
    assert made.json()["token"].startswith("cup_")
    assert "token" not in ada.get(f"{API}tokens/{made.json()['id']}/").json()


JOBS = {
    "clusters/{clusters}/discover/": {},
    "clusters/{clusters}/test/": {},
    "peers/{peers}/check/": {},
    "peers/check/": {},
    "services/{services}/restart/": {},
    "nodes/{nodes}/services/refresh/": {},
    "troubleshooter-runs/": {"clusters": "all"},
    "directory/snapshots/": {},
}


@pytest.mark.parametrize("path", JOBS)
def test_background_work_answers_202_with_the_job_and_where_it_is(ada, things, path):
    ids = {name: row.pk for name, row in things.items()}
    Job.objects.update(state="succeeded")
    answer = ada.post(API + path.format_map(ids), JOBS[path])
    assert answer.status_code == 202, answer.content
    reported = answer.json()
    assert answer["Location"].endswith(f"{API}jobs/{reported['id']}/")
    assert reported["state"] == "queued"
    if path == "troubleshooter-runs/":
        assert (
            ada.get(f"{API}troubleshooter-runs/{reported['run']}/").status_code == 200
        )


def test_a_job_is_cancelled_and_retried(ada, things):
    url = f"{API}jobs/{things['jobs'].pk}/"
    for action, state in (("cancel", "cancelled"), ("retry", "queued")):
        answer = ada.post(f"{url}{action}/")
        assert (answer.status_code, answer.json()["state"]) == (202, state)


@pytest.mark.parametrize("resource", ["clusters", "nodes", "peers"])
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_an_edit_without_if_match_is_428_and_with_an_old_one_412(
    ada, things, resource, method
):
    url = f"{API}{resource}/{things[resource].pk}/"
    assert getattr(ada, method)(url, {}).status_code == 428
    stale = getattr(ada, method)(url, {}, headers={"If-Match": '"x-1"'})
    assert stale.status_code == 412
    assert stale["Content-Type"] == "application/problem+json"


def test_the_mesh_answers_with_what_is_missing_and_one_sided(ada, things):
    reported = ada.get(f"{API}mesh/").json()
    assert {"clusters", "cells", "missing", "one_sided"} <= set(reported)
    cell = {"from", "to", "peer", "outcome", "associated_users", "remote_users"}
    assert [set(one) for one in reported["cells"]] == [cell]
    assert [set(one) for one in reported["missing"]] == [{"from", "to"}]


def test_a_plan_changes_nothing_and_an_old_one_is_a_conflict(ada, things):
    ids = [row["id"] for row in ada.get(f"{API}clusters/").json()["results"]]
    expected = {"clusters": ids, "protocol": "TCP"}
    plan = ada.post(f"{API}mesh/plan/", expected)
    assert plan.status_code == 200
    names = {"action", "cluster", "address", "before", "after", "warnings"}
    assert all(names <= set(step) for step in plan.json()["steps"])
    assert not Job.objects.filter(kind="set-up-peerings").exists()
    old = ada.post(f"{API}mesh/apply/", {**expected, "plan_hash": "0" * 64})
    assert old.status_code == 409


def test_the_directory_answers(ada, things):
    peer = str(things["peers"].pk)
    reported = ada.get(f"{API}directory/comparison/", {"peer": peer})
    assert reported.status_code in (200, 409)
    assert ada.get(f"{API}directory/duplicates/").status_code == 200
    assert ada.get(f"{API}directory/locate/", {"user": "jdoe"}).status_code in (
        200,
        404,
    )


@pytest.mark.parametrize("path", ["healthz", "readyz"])
def test_health_answers_without_a_sign_in(db, client, path):
    assert client.get(f"/{path}").status_code == 200


def test_metrics_are_for_a_token(db, client, viewer):
    assert client.get("/metrics").status_code == 401
    _, text = ApiToken.issue(viewer, "prometheus", "viewer")
    reported = client.get("/metrics", headers={"Authorization": f"Bearer {text}"})
    assert reported.status_code == 200
