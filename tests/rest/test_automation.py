import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import yaml
from django.db import connection

from accounts.models import ApiToken
from accounts.roles import Role
from jobs.engine import perform_job
from jobs.models import Job
from peers.models import Peer

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


@pytest.fixture
def worker(transactional_db):
    """Does the jobs that the script asks for, as a worker does."""
    over = threading.Event()

    def work():
        while not over.wait(0.2):
            for pk in Job.objects.due().values_list("pk", flat=True):
                perform_job(str(pk))
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


def input_of(description):
    publisher = next(n for n in description["nodes"] if n["role"] == "publisher")
    return {
        "cluster": {
            "name": description["name"],
            "axl_username": description["axl_username"],
            "axl_password": description["axl_password"],
            "provisioning": "direct",
        },
        "publisher": {name: publisher[name] for name in ("name", "address")},
        "fingerprints": [node["fingerprint"] for node in description["nodes"]],
        "intercluster": {
            "username": description["intercluster_username"],
            "password": description["intercluster_password"],
        },
    }


def run_script(live_server, token, path):
    return subprocess.run(
        [sys.executable, EXAMPLES / "peering.py"],
        input=path.read_text(),
        env=os.environ | {"CUPADMIN_URL": live_server.url, "CUPADMIN_TOKEN": token},
        capture_output=True,
        text=True,
    )


@pytest.mark.servers
def test_script_of_the_guide_peers_two_clusters(
    live_server, worker, administrator, lab, settings, tmp_path
):
    settings.DNS_SERVERS = [lab.describe()["dns"]]
    _, token = ApiToken.issue(administrator, "script", Role.ADMINISTRATOR)
    path = tmp_path / "clusters.json"
    path.write_text(json.dumps([input_of(one) for one in lab.describe()["clusters"]]))
    done = run_script(live_server, token, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(Peer.objects.values_list("provisioning_state", flat=True)) == {"applied"}
    again = run_script(live_server, token, path)
    assert again.returncode == 0, again.stderr
    assert Peer.objects.count() == 2


@pytest.mark.servers
def test_script_trusts_no_certificate_that_it_was_not_told(
    live_server, worker, administrator, lab, tmp_path
):
    _, token = ApiToken.issue(administrator, "script", Role.ADMINISTRATOR)
    clusters = [input_of(one) for one in lab.describe()["clusters"]]
    presented = clusters[0]["fingerprints"]
    clusters[0]["fingerprints"] = ["00" * 32]
    path = tmp_path / "clusters.json"
    path.write_text(json.dumps(clusters))
    done = run_script(live_server, token, path)
    assert done.returncode == 1 and any(one in done.stderr for one in presented)


@pytest.mark.servers
def test_playbook_passes_the_syntax_check_of_ansible(tmp_path):
    playbook = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [playbook, "--syntax-check", "-i", "localhost,", EXAMPLES / "peering.yml"],
        env=os.environ | {"HOME": str(tmp_path), "ANSIBLE_LOCAL_TEMP": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


# What the playbook may use: the syntax check does not look at arguments.
ARGUMENTS = {
    "ansible.builtin.uri": {"url", "method", "status_code", "body"},
    "ansible.builtin.set_fact": {"cluster"},
}
KEYWORDS = {
    "name",
    "register",
    "when",
    "changed_when",
    "failed_when",
    "no_log",
    "until",
    "retries",
    "delay",
}


def test_playbook_uses_only_what_its_modules_know():
    (play,) = yaml.safe_load((EXAMPLES / "peering.yml").read_text())
    for task in play["tasks"]:
        (module,) = set(task) & set(ARGUMENTS)
        assert set(task) - {module} <= KEYWORDS, task["name"]
        assert set(task[module]) <= ARGUMENTS[module], task["name"]


def test_a_playbook_that_runs_again_adds_nothing(transactional_db, administrator, api):
    client = api(administrator)
    clusters, nodes = "/api/v1/clusters/", "/api/v1/nodes/"
    body = {"name": "vienna", "axl_username": "axl", "axl_password": "open sesame"}
    node = {"name": "pub.example.com", "address": "192.0.2.10", "role": "publisher"}
    assert client.get(clusters, {"name": "vienna"}).json()["count"] == 0
    made = client.post(clusters, body)
    assert made.status_code == 201
    for _ in range(2):
        found = client.get(clusters, {"name": "vienna"})
        assert (found.status_code, found.json()["count"]) == (200, 1)
        assert found.json()["results"][0]["id"] == made.json()["id"]
        again = client.post(clusters, body)
        assert (again.status_code, again.json()["existing"]) == (409, made.json()["id"])
    node["cluster"] = made.json()["id"]
    assert [client.post(nodes, node).status_code for _ in range(3)] == [201, 409, 409]
    query = {"cluster": node["cluster"], "role": "publisher"}
    assert client.get(nodes, query).json()["count"] == 1
    discover = f"{clusters}{node['cluster']}/discover/"
    first = client.post(discover)
    second = client.post(discover)
    assert (first.status_code, second.status_code) == (202, 409)
    assert second.json()["job"] == first.json()["id"]


def test_playbook_speaks_of_operations_that_exist():
    from drf_spectacular.generators import SchemaGenerator

    paths = SchemaGenerator().get_schema(public=True)["paths"]
    known = {
        re.sub(r"\{.*?\}", "ID", path.removeprefix("/api/v1")): operations
        for path, operations in paths.items()
    }
    (play,) = yaml.safe_load((EXAMPLES / "peering.yml").read_text())
    for task in play["tasks"]:
        uri = task.get("ansible.builtin.uri")
        if uri:
            path = uri["url"].removeprefix("{{ api }}").partition("?")[0]
            path = re.sub(r"\{\{.*?\}\}", "ID", path)
            assert uri.get("method", "GET").lower() in known[path], task["name"]
