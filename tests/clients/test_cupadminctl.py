"""`cupadminctl` against a served console with simulated clusters."""

import json
import os
import ssl
import subprocess
import sys
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cupadminctl
import pytest
import yaml
from click.testing import CliRunner
from cupadminctl.commands import cli
from cupadminctl.exits import DIFFERS, FAILED, JOB_FAILED, STILL_RUNNING
from django.utils import timezone

import cupadmin
from accounts.models import ApiToken
from accounts.roles import Role
from clusters.models import Cluster
from diagnostics.models import PeerCheck
from jobs.models import Job
from peers.models import Peer
from tests.rest.test_automation import worker  # noqa: F401

CLIENT = Path(cupadminctl.__file__).parents[1]
USAGE = 2
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def token(administrator):
    return ApiToken.issue(administrator, "cupadminctl", Role.ADMINISTRATOR)[1]


@pytest.fixture
def ctl(transactional_db, live_server, token):
    """Run the command against the console; the result, and its JSON as `data`."""

    def call(*words, code=0, output="json", env=None, **more):
        variables = {"CUPADMIN_URL": live_server.url, "CUPADMIN_TOKEN": token}
        runner = CliRunner(env=variables | (env or {}))
        result = runner.invoke(cli, ["-o", output, *words], **more)
        assert result.exit_code == code, (result.output, result.exception)
        if output == "json" and result.stdout:
            return json.loads(result.stdout)
        return result

    return call


@pytest.fixture
def pair(transactional_db, cluster_factory):
    known = {"version": "8.6", "generation": "cup8"}
    return cluster_factory("east", **known), cluster_factory("west", **known)


@pytest.fixture
def peers(pair, peer_factory):
    return [peer_factory(*side) for side in (pair, pair[::-1])]


def test_it_needs_no_django():
    code = (
        "import sys, cupadminctl.commands;"
        "sys.exit(any(m.partition('.')[0] == 'django' for m in sys.modules))"
    )
    env = os.environ | {"PYTHONPATH": str(CLIENT)}
    ended = subprocess.run([sys.executable, "-c", code], env=env, cwd="/")
    assert ended.returncode == 0


def test_its_wheel_brings_the_command(tmp_path):
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-cache-dir"]
    subprocess.run([*pip, "wheel", *options, "-w", tmp_path, CLIENT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    target = ["--no-deps", "--no-index", "--target", tmp_path / "site"]
    subprocess.run([*pip, "install", *target, wheel], check=True)
    env = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    command = [sys.executable, tmp_path / "site" / "bin" / "cupadminctl", "--version"]
    displayed = subprocess.run(
        command, env=env, cwd="/", capture_output=True, text=True
    )
    assert cupadminctl.__version__ in displayed.stdout, displayed.stderr


def test_it_has_the_version_of_the_console():
    assert cupadminctl.__version__ == cupadmin.__version__


def test_whoami_and_version(ctl):
    assert ctl("whoami") == {
        "username": "ada",
        "role": "administrator",
        "clusters": None,
    }
    assert ctl("version")["version"] == cupadmin.__version__


def test_clusters_are_listed_in_each_format(ctl, pair):
    assert {row["name"] for row in ctl("clusters", "list")} == {"east", "west"}
    listed = yaml.safe_load(ctl("clusters", "list", output="yaml").output)
    assert {row["name"] for row in listed} == {"east", "west"}
    lines = ctl("clusters", "list", output="table").output.splitlines()
    assert lines[0].split()[:2] == ["ID", "NAME"]
    assert len(lines) == 3
    assert ctl("clusters", "show", "east")["name"] == "east"
    assert ctl("clusters", "show", str(pair[0].pk))["name"] == "east"
    ctl("clusters", "show", "north", code=FAILED)


def test_lists_longer_than_a_page_are_complete(ctl, monkeypatch, cluster_factory):
    monkeypatch.setattr("cupadminctl.client.PAGE", 2)
    for _ in range(5):
        cluster_factory()
    assert len(ctl("clusters", "list")) == 5


def test_peers_are_listed_by_cluster(ctl, peers):
    assert len(ctl("peers", "list")) == 2
    (row,) = ctl("peers", "list", "--cluster", "east")
    assert (row["cluster_name"], row["remote_name"]) == ("east", "west")
    assert ctl("peers", "show", row["id"])["address"] == row["address"]
    ctl("peers", "show", row["id"], output="table")


def test_peers_to_check_must_be_named(ctl, peers):
    ctl("peers", "check", code=USAGE)
    ctl("peers", "check", "--all", "--cluster", "east", code=USAGE)
    ctl("peers", "check", "no-id", code=USAGE)


def test_a_check_without_waiting_shows_the_job(ctl, peers):
    job = ctl("peers", "check", str(peers[0].pk), "--no-wait")
    assert job["state"] == "queued"
    assert ctl("jobs", "list")[0]["id"] == job["id"]
    assert ctl("jobs", "list", "--state", "failed") == []
    ctl("jobs", "wait", job["id"], "--within", "0", code=STILL_RUNNING)
    ctl("jobs", "cancel", job["id"])
    ctl("jobs", "wait", job["id"], code=JOB_FAILED)
    ctl("jobs", "show", job["id"], output="table")


def test_drift_is_listed(ctl, peers):
    assert ctl("drift", "--exit-code") == []
    one = peers[0]
    one.drift = {"protocol": "UDP"}
    one.provisioning_state = Peer.ProvisioningState.APPLIED
    one.save(update_fields=["drift", "provisioning_state"])
    (row,) = ctl("drift", "--exit-code", code=DIFFERS)
    assert (row["field"], row["console"], row["on_cluster"]) == (
        "protocol",
        "TCP",
        "UDP",
    )
    Peer.objects.filter(pk=one.pk).update(provisioning_state="absent")
    (row,) = ctl("drift")
    assert row["field"] is None


def test_history_of_a_peer(ctl, peers):
    pk = str(peers[0].pk)
    found = ctl("peers", "history", pk, "--exit-code")
    assert (found["buckets"], found["availability"]["day"]) == ([], None)
    now = timezone.now().replace(microsecond=0)
    for minute, outcome in enumerate(("failed", "passed")):
        at = now - timedelta(minutes=10 - minute)
        PeerCheck.objects.create(peer=peers[0], at=at, outcome=outcome)
    found = ctl("peers", "history", pk, "--exit-code", code=DIFFERS)
    assert [one["failed"] for one in found["buckets"]] == [1, 0]
    since = (now - timedelta(minutes=9)).isoformat()
    found = ctl("peers", "history", pk, "--since", since, "--exit-code")
    assert len(found["buckets"]) == 1
    in_yaml = ctl("peers", "history", pk, output="yaml").output
    assert len(yaml.safe_load(in_yaml)["buckets"]) == 2
    lines = ctl("peers", "history", pk, output="table").output.splitlines()
    assert lines[0].split()[:3] == ["AT", "CHECKS", "PASSED"]
    assert len(lines) == 4
    assert ctl("peers", "history", pk, "--step", "day", "--since", "2026-01-01T00:00Z")
    ctl("peers", "history", pk, "--since", "yesterday", code=USAGE)
    ctl("peers", "history", pk, "--step", "week", code=USAGE)
    ctl("peers", "history", NOBODY, code=FAILED)


def test_problems_and_services_of_an_empty_console(ctl):
    assert ctl("problems") == []
    assert ctl("services", "list") == []
    assert ctl("mesh", "show")["cells"] == []


def test_a_mesh_file_from_plan_to_export(ctl, pair, tmp_path):
    file = tmp_path / "mesh.yaml"
    file.write_text("peerings:\n- {between: [east, west], protocol: UDP}\n")
    found = ctl("mesh", "plan", str(file), "--exit-code", code=DIFFERS)
    assert [step["action"] for step in found["steps"]] == ["create", "create"]
    ctl("mesh", "plan", str(file), output="table")
    ctl("mesh", "apply", str(file), "--plan-hash", "0" * 64, code=FAILED)
    job = ctl("mesh", "apply", str(file), "--no-wait")
    assert str(Job.objects.get().pk) == job["id"]
    ctl("mesh", "apply", str(file), "--no-wait")
    assert Job.objects.count() == 1


def test_an_exported_mesh_changes_nothing(ctl, pair, peer_factory, tmp_path):
    for side in (pair, pair[::-1]):
        peer_factory(*side, protocol="TLS", provisioning_state="applied")
    export = tmp_path / "export.yaml"
    ctl("mesh", "export", str(export))
    assert "open sesame" not in export.read_text()
    ctl("mesh", "plan", str(export), "--exit-code")
    ctl("mesh", "apply", str(export))
    assert not Job.objects.exists()


def test_a_cluster_of_a_file_gets_its_password_from_here(ctl, tmp_path):
    file = tmp_path / "mesh.yaml"
    file.write_text(
        "clusters:\n- name: Rome\n  axl_username: axl\n"
        "  publisher: {name: rome.example.com, address: 10.1.1.9}\n"
        "  axl_password: {env: ROME_PASSWORD}\n"
    )
    ctl("mesh", "apply", str(file), code=FAILED)
    assert not Cluster.objects.exists()
    ctl("mesh", "apply", str(file), env={"ROME_PASSWORD": "s3cret"})
    assert Cluster.objects.get().unseal("axl_password").reveal() == "s3cret"
    # Unset: the console keeps what it has.
    ctl("mesh", "plan", str(file), "--exit-code")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "clusters: [{name: a, axl_password: s3cret}]",
        "clusters: [{name: a, axl_password: {file: /nowhere/at/all}}]",
        "clusters: [{name: a, axl_password: {file: /dev/null}}]",
        "a: &b 1\nc: *b\n",
        "a: 1\na: 2\n",
        "a: !!python/name:os.system x\n",
        "a: [\n",
    ],
)
def test_what_is_no_mesh_file_is_refused(ctl, tmp_path, text):
    file = tmp_path / "mesh.yaml"
    file.write_text(text)
    result = ctl("mesh", "plan", str(file), code=FAILED, output="table")
    assert "s3cret" not in result.output


def test_a_viewer_is_refused_in_a_sentence(ctl, viewer, peers):
    _, text = ApiToken.issue(viewer, "view", Role.VIEWER)
    env = {"CUPADMIN_TOKEN": text}
    words = ("peers", "check", "--all")
    result = ctl(*words, code=FAILED, env=env, output="table")
    assert "403" in result.output
    assert not Job.objects.exists()


def test_the_token_comes_from_a_file_and_never_from_the_command(ctl, token, tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{token}\n")
    env = {"CUPADMIN_TOKEN": "", "CUPADMIN_TOKEN_FILE": str(path)}
    assert ctl("whoami", env=env)["username"] == "ada"
    missing = {"CUPADMIN_TOKEN": "", "CUPADMIN_TOKEN_FILE": str(tmp_path / "none")}
    ctl("whoami", env=missing, code=FAILED)
    ctl("whoami", env={"CUPADMIN_TOKEN": ""}, code=USAGE)
    ctl("--token", token, "whoami", code=USAGE)


def test_files_that_are_no_text_are_refused(ctl, tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff")
    for path in (tmp_path, tmp_path / "bytes"):
        env = {"CUPADMIN_TOKEN": "", "CUPADMIN_TOKEN_FILE": str(path)}
        ctl("whoami", env=env, code=FAILED)
        ctl("mesh", "plan", str(path), code=FAILED)


@pytest.mark.parametrize("url", ["https://[", "https://a:b", "https://a:0", "https://"])
def test_an_address_that_is_none_is_refused(ctl, url):
    ctl("whoami", env={"CUPADMIN_URL": url}, code=FAILED)


@pytest.mark.parametrize(
    "url", ["http://cupadmin.example.com", "ftp://localhost", "cupadmin.example.com"]
)
def test_no_token_goes_out_unencrypted(ctl, url):
    ctl("whoami", env={"CUPADMIN_URL": url}, code=FAILED)


def test_a_console_that_is_away_is_an_error(ctl):
    ctl("whoami", env={"CUPADMIN_URL": "http://127.0.0.1:1"}, code=FAILED)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_printed_and_completes(ctl, shell):
    script = ctl("completion", shell, output="table").output
    assert "_CUPADMINCTL_COMPLETE" in script
    words = {"COMP_WORDS": "cupadminctl me", "COMP_CWORD": "1"}
    env = words | {"_CUPADMINCTL_COMPLETE": f"{shell}_complete"}
    runner = CliRunner(env=env)
    found = runner.invoke(cli, [], prog_name="cupadminctl")
    assert "mesh" in found.output
    deeper = {"COMP_WORDS": "cupadminctl peers hi", "COMP_CWORD": "2"}
    runner = CliRunner(env=env | deeper)
    found = runner.invoke(cli, [], prog_name="cupadminctl")
    assert "history" in found.output


class Away(BaseHTTPRequestHandler):
    """A console that asks to come back later once, and then answers."""

    requests = 0

    def do_GET(self):
        type(self).requests += 1
        ready = self.requests % 2 == 0
        body = json.dumps({"username": "\x1b[31mred", "role": "viewer"}).encode()
        self.send_response(200 if ready else 503)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def tls(tmp_path):
    """A server with a certificate of its own: URL, and the file to trust."""
    from tests.deploy.conftest import tool

    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), Away)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://localhost:{server.server_port}", str(certificate)
    server.shutdown()
    thread.join()
    server.server_close()


def test_certificates_are_checked_and_later_is_tried_again(tls):
    url, certificate = tls
    env = {"CUPADMIN_URL": url, "CUPADMIN_TOKEN": "cup_x"}
    runner = CliRunner(env=env)
    refused = runner.invoke(cli, ["whoami"])
    assert refused.exit_code == FAILED
    trusted = runner.invoke(cli, ["--ca-file", certificate, "whoami"])
    assert trusted.exit_code == 0, trusted.output
    # What a cluster or a person named does not move the cursor of a terminal.
    assert "\x1b" not in trusted.output
    wrong = runner.invoke(cli, ["--ca-file", "/nowhere", "whoami"])
    assert wrong.exit_code == FAILED


def test_a_mesh_of_the_lab_is_set_up_and_checked(
    ctl,
    lab_clusters,
    worker,  # noqa: F811
    tmp_path,
    lab,
):
    names = [cluster.name for cluster in lab_clusters]
    reported = lab.describe()["clusters"]
    for cluster in lab_clusters:
        assert ctl("clusters", "discover", cluster.name)["state"] == "succeeded"
    file = tmp_path / "mesh.yaml"
    users = [
        {
            "name": one["name"],
            "intercluster": {
                "username": one["intercluster_username"],
                "password": {"env": f"PASSWORD_{number}"},
            },
        }
        for number, one in enumerate(reported)
    ]
    document = {"clusters": users, "peerings": [{"between": names}]}
    file.write_text(yaml.safe_dump(document))
    env = {
        f"PASSWORD_{number}": one["intercluster_password"]
        for number, one in enumerate(reported)
    }
    job = ctl("mesh", "apply", str(file), env=env)
    assert job["state"] == "succeeded"
    assert ctl("peers", "check", "--all")["state"] == "succeeded"
    assert {row["status"]["outcome"] for row in ctl("peers", "list")} == {"passed"}
    run = ctl("troubleshoot", "--exit-code")
    assert run["totals"]["failed"] == 0
    agent = ctl("services", "list", "--name", "Cisco UP Intercluster Sync Agent")
    assert ctl("services", "restart", agent[0]["id"])["state"] == "succeeded"
