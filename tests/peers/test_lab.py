"""Clusters and peers from the first request to the lab's own answer."""

import pytest

from jobs.engine import perform_job
from jobs.models import Job
from peers.models import Peer

API = "/api/v1/"


@pytest.fixture
def ada(administrator, api, lab, settings):
    settings.DNS_SERVERS = [lab.describe()["dns"]]
    return api(administrator)


def register(ada, reported):
    """Register a cluster of the lab as a script does; return its id."""
    made = ada.post(
        f"{API}clusters/",
        {
            "name": reported["name"],
            "axl_username": reported["axl_username"],
            "axl_password": reported["axl_password"],
            "provisioning": "direct",
        },
    ).json()
    (publisher,) = (node for node in reported["nodes"] if node["role"] == "publisher")
    node = {name: publisher[name] for name in ("name", "address", "role", "axl_port")}
    ada.post(f"{API}nodes/", node | {"cluster": made["id"]})
    confirm(ada, made["id"])
    discover(ada, made["id"])
    confirm(ada, made["id"])
    return made["id"]


def confirm(ada, cluster):
    for node in ada.get(f"{API}nodes/", {"cluster": cluster}).json()["results"]:
        url = f"{API}nodes/{node['id']}/"
        seen = ada.get(f"{url}certificate/").json()
        trusted = ada.post(f"{url}trust/", {"fingerprint": seen["fingerprint"]})
        assert trusted.json()["certificate_state"] == "trusted"


def discover(ada, cluster):
    job = ada.post(f"{API}clusters/{cluster}/discover/").json()
    perform_job(job["id"])
    assert Job.objects.get(pk=job["id"]).state == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_script_registers_a_cluster_and_discovers_its_subscriber(ada, lab):
    reported = lab.describe()["clusters"][0]
    cluster = ada.get(f"{API}clusters/{register(ada, reported)}/").json()
    assert {node["name"] for node in cluster["nodes"]} == {
        node["name"] for node in reported["nodes"]
    }
    assert cluster["version"] == reported["version"]
    assert cluster["generation"] == reported["generation"]


@pytest.mark.django_db(transaction=True)
def test_saved_peer_is_written_changed_and_removed_on_its_cluster(ada, lab):
    first, second = lab.describe()["clusters"]
    home = register(ada, first)
    saved = ada.post(
        f"{API}peers/",
        {
            "cluster": home,
            "address": second["nodes"][0]["address"],
            "username": second["intercluster_username"],
            "password": second["intercluster_password"],
        },
    )
    perform_job(saved.json()["job"])
    peer = f"{API}peers/{saved.json()['id']}/"
    read = ada.get(peer)
    assert read.json()["provisioning_state"] == "applied"
    changed = ada.patch(peer, {"protocol": "UDP"}, HTTP_IF_MATCH=read["ETag"])
    perform_job(changed.json()["job"])
    assert Job.objects.get(pk=changed.json()["job"]).state == "succeeded"
    removal = ada.delete(peer, HTTP_IF_MATCH=changed["ETag"])
    assert removal.status_code == 202
    perform_job(removal.json()["id"])
    assert not Peer.objects.exists()
    # Tests of other files may have left entries of theirs on the shared lab.
    address = second["nodes"][0]["address"]
    assert address not in {entry.address for entry in lab.clusters[0].peers()}


def by_address(ada, reported, node):
    """Register a cluster of the lab by a node's address only; discover and confirm."""
    account = {name: reported[name] for name in ("axl_username", "axl_password")}
    made = ada.post(f"{API}clusters/", {"name": reported["name"], **account}).json()
    at = {"address": node["address"], "axl_port": node["axl_port"]}
    named = {"name": node["address"], "cluster": made["id"], "role": "publisher"}
    ada.post(f"{API}nodes/", named | at)
    confirm(ada, made["id"])
    discover(ada, made["id"])
    confirm(ada, made["id"])
    return made["id"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", [0, 1])
def test_cluster_registered_by_any_address_has_its_two_nodes_once(ada, lab, first):
    reported = lab.describe()["clusters"][0]
    cluster = by_address(ada, reported, reported["nodes"][first])
    discover(ada, cluster)
    nodes = ada.get(f"{API}nodes/", {"cluster": cluster}).json()["results"]
    assert {(node["name"], node["role"]) for node in nodes} == {
        (node["name"], node["role"]) for node in reported["nodes"]
    }


@pytest.mark.django_db(transaction=True)
def test_cluster_whose_topology_has_host_names_has_its_nodes_once(ada, lab):
    database, reported = lab.clusters[0].database, lab.describe()["clusters"][0]
    names = {node["name"]: node["name"].partition(".")[0] for node in reported["nodes"]}
    rename = "UPDATE processnode SET name = ? WHERE name = ?"
    for full, short in names.items():
        database.execute(rename, short, full)
    try:
        cluster = register(ada, reported)
        nodes = ada.get(f"{API}nodes/", {"cluster": cluster}).json()["results"]
    finally:
        for full, short in names.items():
            database.execute(rename, full, short)
    assert [node["role"] for node in nodes].count("publisher") == 1
    assert {node["name"].partition(".")[0] for node in nodes} == set(names.values())
    assert len(nodes) == len(names)
