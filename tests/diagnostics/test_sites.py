"""Clusters of two sites, each reached by its own workers only."""

import pytest

from clusters.models import Cluster, Node
from diagnostics import elsewhere, near
from diagnostics.absent import absent_cluster, absent_peer
from diagnostics.checks import check_peers, check_with_back
from diagnostics.collect import held_peers
from diagnostics.facts import Facts
from diagnostics.jobs.collect import CollectFacts
from diagnostics.jobs.sweep import Sweep
from diagnostics.jobs.troubleshoot import Troubleshoot
from diagnostics.judge.sections import judge_facts
from diagnostics.models import SiteFacts, TroubleshooterRun
from diagnostics.node_addresses import clusters_of, peers_of
from jobs.engine import perform_job
from jobs.models import Job, Process
from peers.models import Peer
from tests.diagnostics.healthy import NOW

# What is judged by what the console itself knows.
KNOWN_TO_THE_CONSOLE = {"peers_exist", "mesh_complete", "mask", "same_domain"}
KNOWN_TO_THE_CONSOLE |= {"protocol_recommended", "dns_servers"}


@pytest.fixture
def asked(monkeypatch):
    """Which worker asked which clusters."""
    found = []
    gather = near.gather_facts

    def gather_facts(clusters, peers=(), **options):
        clusters, peers = list(clusters), list(peers)
        found.extend(one.name for one in clusters)
        return gather(clusters, peers, **options)

    monkeypatch.setattr(near, "gather_facts", gather_facts)
    return found


@pytest.fixture
def at_two_sites(peering, settings, work_at):
    settings.SITES = ["berlin", "munich"]
    home, remote = (peer.cluster for peer in peering)
    Cluster.objects.filter(pk=home.pk).update(site="berlin")
    Cluster.objects.filter(pk=remote.pk).update(site="munich")
    return [Peer.objects.get(pk=peer.pk) for peer in peering]


def outcomes():
    return set(Peer.objects.values_list("outcome", flat=True))


def test_a_peering_of_two_sites_is_judged_by_what_both_workers_saw(
    at_two_sites, work_at, asked
):
    with work_at("site-berlin", others=["site-munich"]) as worked:
        outcome = check_with_back(at_two_sites[0])
    assert set(outcome.values()) == {"passed"}
    assert worked == [("site-munich", "collect-facts")]
    assert len(asked) == 2
    assert outcomes() == {"passed"}


def test_facts_are_gone_once_they_are_judged(at_two_sites, work_at):
    with work_at("site-berlin", others=["site-munich"]):
        check_with_back(at_two_sites[0])
    assert not SiteFacts.objects.exists()
    assert not CollectFacts.all().exists()


def test_a_sweep_from_a_centre_without_a_path_has_the_sites_ask(
    at_two_sites, work_at, asked
):
    job = Sweep.submit()
    with work_at("operate", others=["site-berlin", "site-munich"]) as worked:
        perform_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED
    assert sorted(queue for queue, _ in worked) == ["site-berlin", "site-munich"]
    assert outcomes() == {"passed"}
    assert len(asked) == 2


def test_a_run_of_the_troubleshooter_has_the_sites_ask(at_two_sites, work_at):
    run = Troubleshoot.submit(Cluster.objects.all())
    with work_at("operate", others=["site-berlin", "site-munich"]):
        perform_job(str(run.job_id))
    run.refresh_from_db()
    assert run.job.state == Job.State.SUCCEEDED
    wrong = run.results.filter(outcome="failed").values_list("code", "problem")
    assert not list(wrong)
    assert run.results.filter(outcome="passed").count() > 20


def test_a_site_without_a_worker_is_unknown_and_never_failed(
    at_two_sites, work_at, asked
):
    with work_at("site-berlin", others=[]) as worked:
        outcome = check_with_back(at_two_sites[0])
    assert set(outcome.values()) == {"unknown"}
    assert worked == []
    assert len(asked) == 1
    peer = Peer.objects.get(pk=at_two_sites[0].pk)
    wrong = [e for e in peer.entries if e["outcome"] in ("failed", "warning")]
    assert not wrong
    assert any("site munich" in entry["problem"] for entry in peer.entries)
    remote = at_two_sites[0].remote_cluster
    remote.refresh_from_db()
    assert remote.health == "unknown"
    assert not Node.objects.filter(cluster=remote).exclude(contact_code="").exists()


def test_a_sweep_goes_on_without_a_site_that_does_not_answer(at_two_sites, work_at):
    job = Sweep.submit()
    with work_at("operate", others=["site-berlin"]):
        perform_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED
    assert outcomes() == {"unknown"}
    healths = dict(Cluster.objects.values_list("site", "health"))
    assert healths == {"berlin": "ok", "munich": "unknown"}


def test_a_worker_that_does_not_begin_is_not_waited_for(
    at_two_sites, work_at, monkeypatch
):
    monkeypatch.setattr(elsewhere, "START", 0.1)
    queues = ["site-munich"]
    Process.objects.create(host="busy", pid=1, kind="worker", queues=queues)
    with work_at("site-berlin", others=[]):
        outcome = check_with_back(at_two_sites[0])
    assert set(outcome.values()) == {"unknown"}
    assert CollectFacts.all().get().state == Job.State.CANCELLED


def test_a_worker_that_waits_does_what_the_other_waits_for(at_two_sites, work_at):
    peer = at_two_sites[0]
    question = near.Question(5, 5)
    with work_at("site-munich", others=[]):
        job = CollectFacts.submit(
            "site-munich", [str(peer.remote_cluster_id)], [str(peer.pk)], question
        )
        elsewhere.help_others()
    job.refresh_from_db()
    assert job.state == Job.State.SUCCEEDED


def test_facts_that_nobody_judged_are_gone_after_a_day(at_two_sites):
    job = CollectFacts.submit("site-munich", [], [], near.Question(5, 5))
    SiteFacts.objects.create(job=job, body=b"facts")
    Job.objects.update(state="succeeded", finished_at=NOW)
    Sweep.submit()
    assert not SiteFacts.objects.exists()


def test_a_worker_that_serves_both_sites_asks_both(at_two_sites, work_at, asked):
    with work_at("site-berlin", "site-munich", others=[]) as worked:
        assert set(check_peers(at_two_sites).values()) == {"passed"}
    assert worked == []


def test_nothing_that_was_not_asked_is_judged_good_or_bad(peering):
    rows = list(Cluster.objects.prefetch_related("nodes"))
    targets = clusters_of(rows)
    tried = peers_of(peering, targets)
    facts = Facts(
        NOW,
        {one.id: absent_cluster(one, "Nobody.") for one in targets},
        {one.id: absent_peer(one, "Nobody.") for one in tried},
        held=held_peers(tried),
    )
    found = judge_facts(facts, frozenset(facts.clusters), frozenset())
    codes: dict[str, set[str]] = {"failed": set(), "warning": set(), "passed": set()}
    for one in found:
        codes.setdefault(one.verdict.outcome, set()).add(one.test.code)
    assert not codes["failed"] | codes["warning"]
    assert codes["passed"] <= KNOWN_TO_THE_CONSOLE


def test_a_run_over_one_site_reports_the_other_as_it_was(at_two_sites, work_at):
    run = Troubleshoot.submit(Cluster.objects.filter(site="berlin"))
    with work_at("operate", others=["site-berlin"]):
        perform_job(str(run.job_id))
    run = TroubleshooterRun.objects.get()
    wrong = run.results.filter(outcome="failed").values_list("code", "problem")
    assert not list(wrong)
