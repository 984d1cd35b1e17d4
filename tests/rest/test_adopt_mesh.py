"""The script of the guide, run against a mesh that was there before the console."""

import json
import os
import subprocess
import sys

import pytest

from accounts.models import ApiToken
from accounts.roles import Role
from clusters.models import Cluster
from lab import Lab
from peers.models import Peer
from tests.rest.test_automation import EXAMPLES, worker
from tests.waiting import eventually

pytestmark = pytest.mark.servers

__all__ = ["worker"]
FORMS = ("renamed", "key", "split", "empty")


@pytest.fixture
def mesh(settings):
    options = {"nodes": 2, "users": (6, 5, 4, 3), "network": "auto", "decoys": True}
    options |= {"generation": "cup8", "agent_interval": 0.2, "service_delay": 0.1}
    with Lab(clusters=4, **options, forms=FORMS, peered=True) as lab:
        settings.DNS_SERVERS = [lab.dns_address]
        total = sum(c.local_users for c in lab.clusters)
        for each in lab.clusters:
            missing = total - each.local_users
            assert eventually(lambda c=each, n=missing: c.associated_users == n)
        yield lab


def input_of(lab):
    """What a person has to know of the clusters: accounts, and one address."""
    clusters = lab.describe()["clusters"]
    return {
        "first": clusters[0]["nodes"][0]["name"],
        "accounts": {
            f"{one['name']}-*": {
                "axl_username": one["axl_username"],
                "axl_password": one["axl_password"],
                "peering_username": one["intercluster_username"],
                "peering_password": one["intercluster_password"],
            }
            for one in clusters
        },
        "fingerprints": [n["fingerprint"] for one in clusters for n in one["nodes"]],
    }


def run(live_server, administrator, mesh):
    _, token = ApiToken.issue(administrator, "script", Role.ADMINISTRATOR)
    return subprocess.run(
        [sys.executable, EXAMPLES / "adopt_mesh.py"],
        input=json.dumps(mesh),
        env=os.environ | {"CUPADMIN_URL": live_server.url, "CUPADMIN_TOKEN": token},
        capture_output=True,
        text=True,
    )


def test_script_adopts_a_mesh_of_which_it_knows_one_address(
    live_server, worker, administrator, mesh
):
    done = run(live_server, administrator, input_of(mesh))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "12 of 12 passed.\n"
    assert Cluster.objects.count() == 4
    assert set(Peer.objects.values_list("provisioning_state", flat=True)) == {"applied"}
    assert all(len(cluster.peers()) == 3 for cluster in mesh.clusters)
    again = run(live_server, administrator, input_of(mesh))
    assert again.stdout.endswith("12 of 12 passed.\n")


def test_script_stops_at_a_certificate_that_it_was_not_told(
    live_server, worker, administrator, mesh
):
    known = input_of(mesh)
    unknown = mesh.clusters[2].publisher
    known["fingerprints"].remove(unknown.fingerprint)
    done = run(live_server, administrator, known)
    assert done.returncode == 1 and unknown.fingerprint in done.stderr
    assert not Peer.objects.exists()


def test_script_has_no_more_than_forty_lines_of_code():
    text = (EXAMPLES / "adopt_mesh.py").read_text()
    code = text.split("urllib import error, request\n")[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 40
