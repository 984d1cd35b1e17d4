"""Clusters and peers from the first request to the lab's own answer."""

import pytest

from jobs.models import Job
from jobs.run import perform
from peers.models import Peer

API = "/api/v1/"


@pytest.fixture
def ada(administrator, api, lab, settings):
    settings.DNS_SERVERS = [lab.describe()["dns"]]
    return api(administrator)


def register(ada, told):
    """Register a cluster of the lab as a script does; return its id."""
    made = ada.post(
        f"{API}clusters/",
        {
            "name": told["name"],
            "axl_username": told["axl_username"],
            "axl_password": told["axl_password"],
            "provisioning": "direct",
        },
    ).json()
    (publisher,) = (node for node in told["nodes"] if node["role"] == "publisher")
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
    perform(job["id"])
    assert Job.objects.get(pk=job["id"]).state == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_script_registers_a_cluster_and_discovers_its_subscriber(ada, lab):
    told = lab.describe()["clusters"][0]
    cluster = ada.get(f"{API}clusters/{register(ada, told)}/").json()
    assert {node["name"] for node in cluster["nodes"]} == {
        node["name"] for node in told["nodes"]
    }
    assert cluster["version"] == told["version"]
    assert cluster["generation"] == told["generation"]


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
    perform(saved.json()["job"])
    peer = f"{API}peers/{saved.json()['id']}/"
    read = ada.get(peer)
    assert read.json()["provisioning_state"] == "applied"
    changed = ada.patch(peer, {"protocol": "UDP"}, HTTP_IF_MATCH=read["ETag"])
    perform(changed.json()["job"])
    assert Job.objects.get(pk=changed.json()["job"]).state == "succeeded"
    removal = ada.delete(peer, HTTP_IF_MATCH=changed["ETag"])
    assert removal.status_code == 202
    perform(removal.json()["id"])
    assert not Peer.objects.exists()
    # Tests of other files may have left entries of theirs on the shared lab.
    address = second["nodes"][0]["address"]
    assert address not in {entry.address for entry in lab.clusters[0].peers()}
