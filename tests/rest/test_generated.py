"""A client that a generator makes of the description works with the console."""

import json
import subprocess
import sys
from importlib import import_module

import pytest
from drf_spectacular.generators import SchemaGenerator

from accounts.models import ApiToken

pytestmark = pytest.mark.servers

PACKAGE = "generated_cupadmin"


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The folder of a package that was generated without a warning."""
    folder = tmp_path_factory.mktemp("generated")
    schema = SchemaGenerator().get_schema(public=True)
    (folder / "schema.json").write_text(json.dumps(schema, default=str))
    (folder / "options.yaml").write_text("post_hooks: []\n")
    ended = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
        + ["--path", folder / "schema.json", "--config", folder / "options.yaml"]
        + ["--output-path", folder / PACKAGE, "--fail-on-warning"],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


@pytest.fixture
def load(generated, monkeypatch):
    monkeypatch.syspath_prepend(str(generated))
    return lambda name: import_module(f"{PACKAGE}.{name}")


@pytest.fixture
def client(load, live_server, administrator):
    _, text = ApiToken.issue(administrator, "generated", "administrator")
    package = load("client")
    with package.AuthenticatedClient(base_url=live_server.url, token=text) as found:
        yield found


def test_it_says_who_it_is(client, load):
    me = load("api.me.me_retrieve").sync(client=client)
    assert (me.username, me.role.value, me.clusters) == ("ada", "administrator", None)


def test_it_adds_lists_and_reads_a_cluster(client, load):
    spec = load("models.cluster_request").ClusterRequest(
        name="vienna", axl_username="axladmin", axl_password="open sesame"
    )
    made = load("api.clusters.clusters_create").sync(client=client, body=spec)
    (row,) = load("api.clusters.clusters_list").sync(client=client).results
    read = load("api.clusters.clusters_retrieve").sync(made.id, client=client)
    assert made.id == row.id == read.id
    assert (read.name, read.axl_password_set) == ("vienna", True)


def test_it_checks_a_peer_and_reads_the_job(
    client, load, cluster_factory, peer_factory
):
    peer = peer_factory(cluster_factory("berlin"), cluster_factory("vienna"))
    (row,) = load("api.peers.peers_list").sync(client=client).results
    assert (row.id, row.status.outcome.value) == (peer.pk, "unknown")
    job = load("api.peers.peers_check_create").sync(row.id, client=client)
    read = load("api.jobs.jobs_retrieve").sync(job.id, client=client)
    assert (read.kind, read.state.value) == ("check-peers", "queued")
    assert (read.attempts, read.worker) == (0, None)
