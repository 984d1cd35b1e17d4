"""Each fault of the lab: one problem with its cause and fix, which clears it.

The catalogue of faults is the lab's own: a new one without an expectation fails.
"""

from urllib.parse import urlsplit

import pytest
from django.urls import resolve

from accounts.audit import CONSOLE
from clusters import editing
from clusters.models import Cluster
from diagnostics import collect_cluster, collect_peer
from diagnostics.jobs import sweep as sweeping
from diagnostics.judge import system
from diagnostics.judge.tests import TESTS
from exchange import reading
from exchange.jobs.read import ReadCertificates
from jobs.engine import perform_job
from jobs.models import Job
from lab import Lab, faults
from lab.platform import USERNAME, password_of
from overview.live import Overview
from overview.models import Problem
from overview.renewal import renew_problems
from peers import lifecycle
from peers.models import Peer
from proof import connections, proving
from proof.jobs.prove import Prove
from services import decisions
from services.jobs import control
from services.jobs.control import ControlServices
from services.models import NodePace, NodeReading, Service
from tests.conftest import register
from tests.diagnostics.conftest import carried, peer_on
from tests.diagnostics.test_troubleshoot import run_now
from tests.overview.catalogue import (
    CLUSTER,
    EXPECTED,
    HARMLESS,
    NEVER_ANSWERS,
    OF_PAGES,
    PROVE,
    READ,
    RUN,
    SUBSCRIBER,
    SWEEP,
    UNSEEN,
    written,
)
from tests.proof.conftest import name_canary
from tests.waiting import eventually
from tests.workers import done
from wire import limits

pytestmark = [pytest.mark.long, pytest.mark.django_db]

# Seconds that agents may take to carry what changed.
AGENTS = 15.0
GENERIC = ("Warning", "Failed", "Error", "Unknown", "None", "Traceback", "<")


@pytest.fixture(scope="module")
def mesh_lab():
    options = {"users": (12, 8), "versions": ("14", "15"), "network": "auto"}
    options |= {"service_delay": 0.1, "agent_interval": 0.2, "agent_timeout": 1.0}
    with Lab(clusters=2, presence=True, shared_key=True, **options) as lab:
        yield lab


@pytest.fixture(scope="module")
def mesh(module_db, mesh_lab):
    """Two clusters whose peers, certificates and presence are all good."""
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch, mesh_lab)
        clusters = [register(one) for one in mesh_lab.describe()["clusters"]]
        for cluster, there in zip(clusters, mesh_lab.clusters, strict=True):
            enter_accounts(cluster, there)
        for n in (0, 1):
            remote = mesh_lab.clusters[1 - n].publisher.name
            peer_on(clusters[n], clusters[1 - n], mesh_lab, 1 - n, address=remote)
        assert eventually(lambda: carried(mesh_lab))
        assert settled(mesh_lab, SWEEP, READ, PROVE, RUN) == []
        assert Overview().all_clear
    return clusters


def enter_accounts(cluster, there):
    name_canary(cluster, there)
    version, port = there.release.version, there.publisher.axl_port
    Cluster.objects.filter(pk=cluster.pk).update(version=version, pages_port=port)
    row = Cluster.objects.get(pk=cluster.pk)
    row.os_username, password = USERNAME, password_of(there.name)
    editing.save_cluster(row, CONSOLE, os_password=password, fields=["os_username"])


def hurry(patch, lab):
    """Do not wait until a node that is too busy may have time."""

    async def give_up(self, attempt, clock, error):
        raise error

    patch.setattr("django.conf.settings.DNS_SERVERS", [lab.describe()["dns"]])
    patch.setattr(limits.Backoff, "wait", give_up)
    patch.setattr(proving, "ARRIVAL_TIMEOUT", 0.3)


def hurry_more(patch):
    """Wait a second for what never answers, where a person would wait longer."""
    for name in ("CONNECT", "CERTIFICATE", "AXL", "SERVICES"):
        patch.setattr(collect_cluster, name, 1.0)
    for name in ("RESOLVE", "AXL", "SIP"):
        patch.setattr(collect_peer, name, 1.0)
    patch.setattr(reading, "SNAPSHOT", 1.0)
    patch.setattr(connections, "FIND_DEADLINE", 1.0)


@pytest.fixture
def lab(mesh, mesh_lab, monkeypatch):
    hurry(monkeypatch, mesh_lab)
    yield mesh_lab
    mesh_lab.clear_faults()
    for cluster in mesh_lab.clusters:
        exchange(cluster)
    assert eventually(lambda: carried(mesh_lab))


def exchange(cluster):
    """Let the agent carry certificates now."""
    for address in list(cluster.agent.exchanged):
        cluster.agent.exchange_certificates(address)


def sweep():
    Job.objects.filter(kind__in=("sweep", "check-peers")).delete()
    # As if the last sweep was a minute ago.
    NodeReading.objects.update(observed_at=None)
    NodePace.objects.all().delete()
    perform_job(str(sweeping.Sweep.submit().pk))
    # A certificate that came back is looked at again at once.
    for job in Job.objects.filter(kind="check-peers"):
        perform_job(str(job.pk))


def run():
    # How fast nodes answer is how busy this machine is.
    run_now(tests=[one.code for one in TESTS if one.code != "response_time"])


def read():
    done(ReadCertificates.submit(list(Cluster.objects.order_by("name"))))


def prove():
    done(Prove.submit(Peer.objects.get(cluster__name="cup1")))


ACTS = {SWEEP: sweep, RUN: run, READ: read, PROVE: prove}


def problems(*acts):
    for act in acts:
        ACTS[act]()
    renew_problems()
    return list(Problem.objects.all())


def settled(lab, *acts, codes=()):
    """Do it until what the agents carry has arrived, and return the problems."""
    found = []

    def as_expected():
        found[:] = problems(*acts)
        return [one.code for one in found] == list(codes)

    eventually(as_expected, AGENTS)
    return found


def place(lab, name):
    if name == CLUSTER:
        return lab.clusters[1]
    return next(node for node in lab.nodes if node.name == name)


def assert_speaks_plainly(problem, name):
    text = problem.sentence
    assert name in text, text
    assert len(text) > len(name) + 12
    assert text[0].isalnum() and text.endswith((".", ")", "00:00:00"))
    assert text.strip(". ") not in GENERIC
    assert "None" not in text and "  " not in text


def assert_fix(problem, expected, client):
    where = urlsplit(problem.fix_url)
    view = resolve(where.path).view_name
    assert f"{view}#{where.fragment}".rstrip("#") == expected, problem.fix_url
    page = client.get(problem.fix_url)
    assert page.status_code == 200
    if where.fragment:
        assert f'id="{where.fragment}"' in page.content.decode()


def assert_only(found, code, severity, name, fix, client):
    assert [(one.code, one.severity) for one in found] == [(code, severity)]
    assert not Overview().all_clear
    assert_speaks_plainly(found[0], name)
    assert_fix(found[0], fix, client)


def test_every_fault_of_the_lab_has_an_expectation():
    known = {*EXPECTED, *HARMLESS, *UNSEEN, *OWN, *OF_PAGES}
    assert known == set(faults.REGISTRY)
    assert all([*HARMLESS.values(), *UNSEEN.values()])


@pytest.mark.parametrize("one", EXPECTED.values(), ids=str)
def test_a_fault_is_one_problem_and_its_fix_clears_it(lab, ada, one):
    with pytest.MonkeyPatch.context() as patch:
        if one.value in NEVER_ANSWERS:
            hurry_more(patch)
        found = found_of(lab, one)
    assert_only(found, one.code, one.severity, one.names or one.on, one.fix, ada)
    lab.clear_faults()
    exchange(lab.clusters[0])
    assert settled(lab, one.by) == []
    assert Overview().all_clear


def found_of(lab, one):
    """Set the fault and return the problems."""
    place(lab, one.on).set_fault(one.area, one.text)
    if one.value in ("expiring", "expired"):
        # A certificate grows old, and is not replaced.
        exchange(lab.clusters[0])
    return settled(lab, one.by, codes=[one.code])


@pytest.mark.parametrize(("area", "value"), HARMLESS, ids=map("-".join, HARMLESS))
def test_a_fault_that_harms_nothing_is_no_problem(lab, area, value):
    act = {"certificates": READ, "presence": PROVE}.get(area, SWEEP)
    on = SUBSCRIBER if area == "control_center" else CLUSTER
    place(lab, on).set_fault(area, written(area, value))
    assert settled(lab, act) == []
    assert Overview().all_clear
    assert {peer.outcome for peer in Peer.objects.all()} == {"passed"}


def agent_of(lab):
    """The Sync Agent of the second cluster's subscriber: in the lab, in the console."""
    name = lab.clusters[1].release.sync_agent
    row = Service.objects.get(node__name=SUBSCRIBER, name=name)
    return place(lab, SUBSCRIBER).service(name), row


def start_in_vain(lab, monkeypatch, fault):
    monkeypatch.setattr(decisions, "SETTLE_TIMEOUT", 0.5)
    monkeypatch.setattr(control, "POLL", 0.1)
    agent, row = agent_of(lab)
    agent.set("Stopped")
    place(lab, SUBSCRIBER).set_fault("control_center", fault)
    assert done(ControlServices.submit("start", [row], CONSOLE)).state == "failed"
    return agent


def test_an_agent_that_hangs_while_it_starts(lab, monkeypatch, ada):
    agent = start_in_vain(lab, monkeypatch, "stuck")
    found = settled(lab, SWEEP, codes=["agent_starting"])
    fix = "services:agents"
    assert_only(found, "agent_starting", "warning", SUBSCRIBER, fix, ada)
    lab.clear_faults()
    agent.set("Started")
    assert settled(lab, SWEEP) == []


def test_an_agent_that_refuses_to_start(lab, monkeypatch, ada):
    agent = start_in_vain(lab, monkeypatch, "refuse")
    found = settled(lab, SWEEP, codes=["agent_stopped"])
    fix = "services:agents"
    assert_only(found, "agent_stopped", "failed", SUBSCRIBER, fix, ada)
    lab.clear_faults()
    agent.set("Started")
    assert settled(lab, SWEEP) == []


def test_an_agent_that_carries_nothing_is_seen_once_users_change(lab, ada):
    lab.clusters[1].set_fault("agent", "frozen")
    new = lab.clusters[0].add_users(1)
    try:
        found = settled(lab, SWEEP, codes=["peer_associated_users"])
        code, fix = "peer_associated_users", "peers:resync"
        assert_only(found, code, "failed", CLUSTER, fix, ada)
        lab.clear_faults()
        assert settled(lab, SWEEP) == []
    finally:
        lab.clusters[0].remove_users(*new)


def test_users_that_a_removed_entry_leaves_do_not_hide_that_it_is_gone(lab, ada):
    home, remote = lab.clusters
    home.set_fault("agent", "leftovers")
    entry = home.peer_to(remote)
    home.remove_peer(entry.address)
    found = settled(lab, SWEEP, codes=["entry_removed"])
    assert_only(found, "entry_removed", "failed", "cup1", "peers:drift", ada)
    lab.clear_faults()
    home.add_peer(entry.address, entry.username, entry.password, entry.protocol)
    assert settled(lab, SWEEP) == []


@pytest.mark.parametrize("fault", ["read-only", "write-503"])
def test_a_write_that_is_refused_says_why(lab, ada, fault):
    peer = Peer.objects.get(cluster__name=CLUSTER)
    place(lab, CLUSTER).set_fault("axl", fault)
    peer.protocol = "TLS"
    done(lifecycle.save_peer(peer, CONSOLE, fields=["protocol"]))
    found = settled(lab, SWEEP, codes=["entry_failed"])
    assert_only(found, "entry_failed", "failed", CLUSTER, "peers:edit_peer", ada)
    assert len(found[0].sentence.split(". ")) > 1, found[0].sentence
    lab.clear_faults()
    peer.refresh_from_db()
    peer.protocol = "TCP"
    done(lifecycle.save_peer(peer, CONSOLE, fields=["protocol"]))
    assert settled(lab, SWEEP) == []


def test_a_node_that_answers_slowly(lab, monkeypatch, ada):
    monkeypatch.setattr(system, "SLOW_ANSWER", 500.0)
    monkeypatch.setitem(ACTS, RUN, lambda: run_now(tests=["response_time"]))
    place(lab, SUBSCRIBER).set_fault("latency", "300")
    found = settled(lab, RUN, codes=["test_response_time"])
    code, fix = "test_response_time", "diagnostics:run"
    assert_only(found, code, "warning", SUBSCRIBER, fix, ada)
    lab.clear_faults()
    assert settled(lab, RUN) == []


# Faults that more must be done for, each with a test above.
OWN = {
    ("latency", "<ms>"),
    ("agent", "frozen"),
    ("agent", "leftovers"),
    ("control_center", "stuck"),
    ("control_center", "refuse"),
    ("axl", "read-only"),
    ("axl", "write-503"),
}
