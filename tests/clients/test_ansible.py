"""The Ansible collection: run by Ansible against a served console with a lab."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from django.db import connection

import cupadmin
from accounts.audit import CONSOLE
from accounts.models import ApiToken
from accounts.roles import Role
from clusters.models import Cluster, Node
from jobs.locks import JobLock
from jobs.models import Job
from lab import Lab
from peers import lifecycle
from peers.models import Peer
from tests.rest.test_automation import worker

__all__ = ["worker"]

pytestmark = pytest.mark.servers

COLLECTION = Path(__file__).resolve().parents[2] / "clients" / "ansible"
BIN = Path(sys.executable).parent
MODULES = sorted(path.stem for path in (COLLECTION / "plugins/modules").glob("*.py"))
ARGUMENTS = {"type", "required", "default", "choices", "elements"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Build the collection and install it as a person would, without the internet."""
    folder = tmp_path_factory.mktemp("ansible")
    call_ansible(folder, "ansible-galaxy", "collection", "build", COLLECTION)
    (built,) = folder.glob("cupadmin-console-*.tar.gz")
    target = ["--collections-path", folder, "--offline"]
    call_ansible(folder, "ansible-galaxy", "collection", "install", built, *target)
    return folder


def call_ansible(folder, program, *words, code=0, **more):
    variables = {
        "HOME": str(folder),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_COLLECTIONS_PATH": str(folder),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
    }
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CUPADMIN_")}
    ended = subprocess.run(
        [BIN / program, *words],
        env=kept | variables | more,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended


@pytest.fixture
def token(administrator):
    return ApiToken.issue(administrator, "ansible", Role.ADMINISTRATOR)[1]


@pytest.fixture
def run(home, live_server, token, tmp_path):
    """Run tasks in one play; the result of each, failed or not."""

    def call(*tasks, check=False, **more):
        steps = [
            {f"cupadmin.console.{name}": given, "register": f"r{n}"}
            | {"ignore_errors": True}
            for n, (name, given) in enumerate(tasks)
        ]
        names = ", ".join(f"r{n}" for n in range(len(tasks)))
        output = tmp_path / "results.json"
        text = "{{ [" + names + "] | to_json }}"
        steps.append(
            {"ansible.builtin.copy": {"content": text, "dest": str(output)}}
            | {"check_mode": False}
        )
        play = {"hosts": "localhost", "gather_facts": False, "tasks": steps}
        path = tmp_path / "play.yml"
        path.write_text(yaml.safe_dump([play]))
        flags = ["--check"] if check else []
        known = {"CUPADMIN_URL": live_server.url, "CUPADMIN_TOKEN": token}
        displayed = call_ansible(
            home, "ansible-playbook", path, "--diff", *flags, **(known | more)
        )
        assert token not in displayed.stdout + displayed.stderr
        return json.loads(output.read_text())

    return call


@pytest.fixture
def lab_pair(settings):
    """Two clusters that do not know each other yet."""
    options = {"nodes": 2, "users": (5, 4), "network": "auto"}
    with Lab(clusters=2, **options, agent_interval=0.2, service_delay=0.1) as lab:
        settings.DNS_SERVERS = [lab.dns_address]
        yield lab


def cluster_task(description, **more):
    publisher = next(n for n in description["nodes"] if n["role"] == "publisher")
    return "cluster", {
        "name": description["name"],
        "domain": description["domain"],
        "provisioning": "direct",
        "axl_username": description["axl_username"],
        "axl_password": description["axl_password"],
        "publisher": {k: publisher[k] for k in ("name", "address")},
        "fingerprints": [n["fingerprint"].upper() for n in description["nodes"]],
        **more,
    }


def mesh_task(descriptions, **more):
    return "mesh", {
        "clusters": [one["name"] for one in descriptions],
        "credentials": {
            one["name"]: {
                "username": one["intercluster_username"],
                "password": one["intercluster_password"],
            }
            for one in descriptions
        },
        **more,
    }


def sample_input(descriptions):
    clusters = [
        cluster_task(one)[1]
        | {"intercluster": mesh_task([one])[1]["credentials"][one["name"]]}
        for one in descriptions
    ]
    return json.dumps({"clusters": clusters})


# --- What needs no console ---------------------------------------------------------


@pytest.mark.parametrize("name", MODULES)
def test_the_documentation_of_a_module_is_its_arguments(home, name):
    words = ["--type", "module", "--json", f"cupadmin.console.{name}"]
    displayed = call_ansible(home, "ansible-doc", *words)
    (found,) = json.loads(displayed.stdout).values()
    code = f"""
import json
from ansible_collections.cupadmin.console.plugins.modules import {name}
print(json.dumps({name}.options(), default=str))
"""
    printed = call_ansible(home, "python", "-c", code, PYTHONPATH=str(home)).stdout
    assert found["doc"]["short_description"] and found["examples"] and found["return"]
    documented = arguments_of(found["doc"]["options"])
    assert documented == arguments_of(json.loads(printed))


def arguments_of(options):
    defaults = {"type": "str", "required": False}
    return {
        name: defaults
        | {k: v for k, v in one.items() if k in ARGUMENTS}
        | {"options": arguments_of(one.get("options") or one.get("suboptions") or {})}
        for name, one in options.items()
    }


def test_the_collection_has_the_version_of_the_console():
    galaxy = yaml.safe_load((COLLECTION / "galaxy.yml").read_text())
    assert galaxy["version"] == cupadmin.__version__.partition(".dev")[0]


def test_every_module_is_in_the_group_of_defaults():
    runtime = yaml.safe_load((COLLECTION / "meta/runtime.yml").read_text())
    assert runtime["action_groups"]["console"] == MODULES


# --- A peering ----------------------------------------------------------------------


def test_the_sample_playbook_sets_up_a_peering_once(
    home, live_server, worker, token, lab_pair, tmp_path
):
    path = tmp_path / "clusters.json"
    path.write_text(sample_input(lab_pair.describe()["clusters"]))
    known = {"CUPADMIN_URL": live_server.url, "CUPADMIN_TOKEN": token}
    words = ["cupadmin.console.peering", "-e", f"@{path}", "--diff"]

    planned = call_ansible(home, "ansible-playbook", *words, "--check", **known)
    assert "changed=2" in planned.stdout
    assert not Cluster.objects.exists()

    done = call_ansible(home, "ansible-playbook", *words, **known)
    assert "changed=2" in done.stdout and "failed=0" in done.stdout
    states = Peer.objects.values_list("provisioning_state", "outcome")
    assert list(states) == [("applied", "passed")] * 2
    assert [len(one.peers()) for one in lab_pair.clusters] == [1, 1]
    for text in (token, *passwords_of(lab_pair)):
        assert text not in done.stdout + planned.stdout

    jobs = Job.objects.count()
    again = call_ansible(home, "ansible-playbook", *words, **known)
    assert "changed=0" in again.stdout
    assert Job.objects.count() == jobs


def passwords_of(lab):
    clusters = lab.describe()["clusters"]
    names = ("axl_password", "intercluster_password")
    return {one[name] for one in clusters for name in names}


# --- Clusters -----------------------------------------------------------------------


def test_a_certificate_that_is_not_stated_is_not_confirmed(run, worker, lab_pair):
    one, other = lab_pair.describe()["clusters"]
    publisher = one["nodes"][0]["fingerprint"]
    wrong, partly, silent = run(
        cluster_task(other, fingerprints=["00" * 32]),
        cluster_task(one, fingerprints=[publisher]),
        cluster_task(other, fingerprints=None),
    )
    assert wrong["failed"] and wrong["fingerprint"] == other["nodes"][0]["fingerprint"]
    # The subscriber was not known before the publisher was read.
    assert partly["failed"] and partly["node"] == one["nodes"][1]["name"]
    assert not silent.get("failed") and not silent["changed"]
    assert silent["unconfirmed"] == [other["nodes"][0]["name"]]
    states = Node.objects.order_by("name").values_list("certificate_state", flat=True)
    assert list(states) == ["trusted", "unknown", "unknown"]


def test_a_cluster_is_changed_where_it_differs_and_deleted(run, cluster_factory):
    cluster = cluster_factory("east")
    node = cluster.publisher
    known = {"name": node.name, "address": node.address}
    wanted = {
        "name": "east",
        "domain": "new.example",
        "axl_username": "axladmin",
        "axl_password": "another secret",
        "legacy_tls": False,
        "discover": "never",
    }
    (planned,) = run(("cluster", wanted), check=True)
    assert planned["changed"]
    assert planned["diff"] == {
        "before": {"domain": "example.com"},
        "after": {"domain": "new.example"},
    }
    cluster.refresh_from_db()
    assert cluster.domain == "example.com"
    changed, again, secret, port, gone, still_gone = run(
        ("cluster", wanted),
        ("cluster", {**wanted, "publisher": known}),
        ("cluster", {**wanted, "update_password": "always"}),
        ("cluster", {**wanted, "publisher": {**known, "sip_port": 5999}}),
        ("cluster", {"name": "east", "state": "absent"}),
        ("cluster", {"name": "east", "state": "absent"}),
    )
    assert changed["diff"] == planned["diff"]
    assert [one["changed"] for one in (changed, again)] == [True, False]
    assert secret["diff"]["after"] == {"axl_password": "new"}
    assert port["diff"]["before"] == {"publisher": {"sip_port": 5060}}
    assert [one["changed"] for one in (gone, still_gone)] == [True, False]
    assert not Cluster.objects.exists()


def test_a_job_that_fails_fails_the_task(run, worker, lab_pair):
    one, other = lab_pair.describe()["clusters"]
    (refused,) = run(cluster_task(one, axl_password="wrong"))
    assert refused["failed"] and refused["job"]["state"] == "failed"
    assert refused["job"]["kind"] == "discover-cluster"
    # The next run reads it again, with the password that is right.
    mended = cluster_task(one, update_password="always")
    wrong = mesh_task([one, other])[1]
    wrong["credentials"][other["name"]]["password"] = "wrong too"
    first, second, peerings = run(mended, cluster_task(other), ("mesh", wrong))
    assert first["cluster"]["version"] and second["cluster"]["version"]
    assert peerings["failed"] and peerings["job"]["state"] == "failed"
    assert [one["state"] for one in peerings["results"]] == ["left-out"]
    assert peerings["results"][0]["detail"]
    assert [cluster.peers() for cluster in lab_pair.clusters] == [[], []]


# --- Peers --------------------------------------------------------------------------


@pytest.fixture
def pair(transactional_db, cluster_factory):
    return cluster_factory("east"), cluster_factory("west")


def peer_values(pair, **more):
    return "peer", {
        "cluster": "east",
        "address": pair[1].publisher.address,
        "username": "icuser",
        "password": "open sesame",
        "wait": False,
        "wait_timeout": 1,
        **more,
    }


def test_a_peer_is_added_changed_and_deleted_once(run, pair):
    (planned,) = run(peer_values(pair), check=True)
    assert planned["diff"]["after"] == {
        "state": "present",
        "username": "icuser",
        "password": "new",
    }
    assert not Peer.objects.exists()
    added, again, changed, secret, gone, still_gone = run(
        peer_values(pair),
        peer_values(pair),
        peer_values(pair, protocol="TLS"),
        peer_values(pair, update_password="always"),
        peer_values(pair, state="absent"),
        peer_values(pair, state="absent"),
    )
    assert [one["changed"] for one in (added, again)] == [True, False]
    assert changed["diff"] == {
        "before": {"protocol": "TCP"},
        "after": {"protocol": "TLS"},
    }
    assert changed["peer"]["protocol"] == "TLS"
    assert secret["diff"]["after"] == {"password": "new"}
    assert [one["changed"] for one in (gone, still_gone)] == [True, False]
    assert not Peer.objects.exists()


def test_an_entry_that_differs_on_its_cluster_is_written_again(run, pair, peer_factory):
    peer = peer_factory(*pair, provisioning_state="applied", drift={"protocol": "UDP"})
    (planned,) = run(peer_values(pair), check=True)
    assert planned["diff"]["before"] == {"protocol": "UDP", "entry": "applied"}
    (written,) = run(peer_values(pair))
    assert written["changed"] and written["peer"]["provisioning_state"] == "pending"
    assert Job.objects.get(target_id=str(peer.pk)).kind == "provision-peer"


def test_entries_are_read_without_changing_any(run, pair, peer_factory):
    peer_factory(*pair)
    clusters, east, none, unknown = run(
        ("cluster_info", {}),
        ("peer_info", {"cluster": "east", "outcome": "unknown"}),
        ("peer_info", {"cluster": "west"}),
        ("peer_info", {"remote_cluster": "north"}),
        check=True,
    )
    assert [one["name"] for one in clusters["clusters"]] == ["east", "west"]
    assert [one["address"] for one in east["peers"]] == [pair[1].publisher.address]
    assert none["peers"] == [] and unknown["failed"]


# --- Refusals -----------------------------------------------------------------------


def test_a_wrong_token_changes_nothing_and_is_not_shown(run, pair):
    (refused,) = run(peer_values(pair), CUPADMIN_TOKEN="cup_wrong-token")
    assert refused["failed"] and refused["status"] == 401
    assert "cup_wrong-token" not in json.dumps(refused)
    assert not Peer.objects.exists()


def test_what_a_role_may_not_do_is_refused(run, pair, viewer):
    _, text = ApiToken.issue(viewer, "ansible", Role.VIEWER)
    reading, writing = run(
        ("cluster_info", {"name": "east"}), peer_values(pair), CUPADMIN_TOKEN=text
    )
    assert len(reading["clusters"]) == 1
    assert writing["status"] == 403


def test_a_value_that_is_refused_is_named(run, pair):
    (refused,) = run(peer_values(pair, address="not an address"))
    assert refused["status"] == 400
    assert "address" in refused["problem"]["errors"] and "address" in refused["msg"]


def job_in_progress(peer):
    job = lifecycle.provision_peer(peer, CONSOLE)
    Job.objects.update(state=Job.State.RUNNING)
    return job


def end_job(job):
    JobLock.objects.all().delete()
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED)
    connection.close()


def test_while_another_job_works_on_it_the_task_waits_and_then_fails(
    run, pair, peer_factory
):
    job = job_in_progress(peer_factory(*pair))
    gone, changed = run(
        peer_values(pair, state="absent"), peer_values(pair, protocol="UDP")
    )
    for one in (gone, changed):
        assert one["failed"] and one["status"] == 409
        assert one["problem"]["job"] == str(job.pk)
    assert Peer.objects.get().protocol == "TCP"


def test_after_a_job_of_somebody_else_the_task_goes_on(run, pair, peer_factory):
    job = job_in_progress(peer_factory(*pair))
    end = threading.Timer(5, lambda: end_job(job))
    end.start()
    (gone,) = run(peer_values(pair, state="absent", wait_timeout=60))
    end.join()
    assert gone["changed"] and not gone.get("failed")


def test_a_job_that_nobody_takes_is_not_waited_for_without_end(run, pair):
    (waiting,) = run(peer_values(pair, wait=True))
    assert waiting["failed"] and waiting["job"]["state"] == "queued"


def test_a_mesh_that_cannot_be_planned_is_refused(run, pair):
    unknown, alone, stranger, planned, later = run(
        ("mesh", {"clusters": ["east", "north"]}),
        ("mesh", {"clusters": ["east", "east"]}),
        ("mesh", {"clusters": ["east", "west"], "credentials": {"north": {}}}),
        ("mesh", {"clusters": ["east", "west"], "mask": "not a mask!"}),
        ("cluster", {"name": "south"}),
    )
    for one in (unknown, alone, stranger, planned, later):
        assert one["failed"] and not one["changed"]
    assert planned["status"] == 400
    (new,) = run(("mesh", {"clusters": ["east", "north"]}), check=True)
    assert new["changed"] and new["missing"] == ["north"]
    assert not Job.objects.exists()


# --- Requests -----------------------------------------------------------------------


class OddConsole(BaseHTTPRequestHandler):
    """A console that is busy at first, or leads elsewhere, or is none."""

    tokens: list[str] = []  # noqa: RUF012
    path: str

    def do_GET(self):
        place = self.path.partition("?")[0].rpartition("/v1/")[2]
        self.tokens.append(self.headers.get("Authorization", ""))
        busy = place == "busy/" and len(self.tokens) == 1
        status = 503 if busy else 302 if place == "elsewhere/" else 200
        body = b"<html>" if place == "page/" else b'{"results": [], "next": null}'
        body = b"[]" if self.path.startswith("/odd/") else body
        self.send_response(status)
        if busy:
            self.send_header("Retry-After", "0")
        if status == 302:
            self.send_header("Location", f"http://localhost:{self.server.server_port}/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def rest(home, monkeypatch):
    """The requests of the modules, and a console that answers them oddly."""
    from importlib import import_module

    monkeypatch.syspath_prepend(home)
    package = "ansible_collections.cupadmin.console.plugins.module_utils.console"
    module = import_module(package)
    server = ThreadingHTTPServer(("127.0.0.1", 0), OddConsole)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    OddConsole.tokens.clear()
    url = f"http://127.0.0.1:{server.server_port}"
    params = {"url": url, "token": "secret", "ca_path": None, "timeout": 5}
    yield module, module.RestConsole(params)
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_of_another_shape_is_a_sentence(run, rest):
    url = rest[1].base.partition("/api")[0]
    (refused,) = run(("cluster", {"url": f"{url}/odd", "name": "east"}))
    assert refused["failed"] and "as expected" in refused["msg"]


def test_a_busy_console_is_asked_again(rest):
    assert rest[1].every("busy/") == []
    assert OddConsole.tokens == ["Bearer secret"] * 2


@pytest.mark.parametrize("path", ["elsewhere/", "page/"])
def test_the_token_goes_nowhere_else_and_only_json_is_an_answer(rest, path):
    module, console = rest
    with pytest.raises(module.ConsoleFailure):
        console.get(path)
    assert OddConsole.tokens == ["Bearer secret"]


def test_a_netrc_does_not_take_the_place_of_the_token(rest, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    rest[1].get("clusters/")
    assert OddConsole.tokens == ["Bearer secret"]


@pytest.mark.parametrize("url", ["http://cupadmin.example.com", "ftp://x", "cupadmin"])
def test_a_token_is_not_sent_in_the_clear(rest, url):
    module, _ = rest
    with pytest.raises(module.ConsoleFailure):
        module.checked_url(url)
