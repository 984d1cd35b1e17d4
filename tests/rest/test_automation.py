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
from jobs.models import Job
from jobs.run import perform
from peers.models import Peer

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


@pytest.fixture
def worker(transactional_db):
    """Does the jobs that the script asks for, as a worker does."""
    over = threading.Event()

    def work():
        while not over.wait(0.2):
            for pk in Job.objects.due().values_list("pk", flat=True):
                perform(str(pk))
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


def told(description):
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
        [sys.executable, EXAMPLES / "peering.py", path],
        env=os.environ | {"CUPADMIN_URL": live_server.url, "CUPADMIN_TOKEN": token},
        capture_output=True,
        text=True,
    )


def test_script_of_the_guide_peers_two_clusters(
    live_server, worker, administrator, lab, settings, tmp_path
):
    settings.DNS_SERVERS = [lab.describe()["dns"]]
    _, token = ApiToken.issue(administrator, "script", Role.ADMINISTRATOR)
    path = tmp_path / "clusters.json"
    path.write_text(json.dumps([told(one) for one in lab.describe()["clusters"]]))
    done = run_script(live_server, token, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Both sides are verified." in done.stdout
    again = run_script(live_server, token, path)
    assert again.returncode == 0, again.stderr
    assert Peer.objects.count() == 2


def test_script_trusts_no_certificate_that_it_was_not_told(
    live_server, worker, administrator, lab, tmp_path
):
    _, token = ApiToken.issue(administrator, "script", Role.ADMINISTRATOR)
    clusters = [told(one) for one in lab.describe()["clusters"]]
    clusters[0]["fingerprints"] = ["00" * 32]
    path = tmp_path / "clusters.json"
    path.write_text(json.dumps(clusters))
    done = run_script(live_server, token, path)
    assert "presents an unexpected certificate" in done.stderr


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
