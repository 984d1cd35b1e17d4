"""The job against the lab: what it reads, and how often an account is tried."""

import pytest
from django.utils import timezone

from accounts.audit import CONSOLE
from clusters import editing
from clusters.models import Cluster
from exchange.jobs.read import ReadCertificates
from exchange.judge import TrustState
from exchange.models import NodeCertificates
from exchange.pairs import load_certificates
from exchange.tasks import read_when_due
from jobs.models import Job
from lab import Lab
from lab.platform import USERNAME, password_of
from peers.models import Peer
from tests.conftest import register
from tests.waiting import eventually
from tests.workers import done


@pytest.fixture(scope="module")
def exchange_lab():
    with Lab(
        clusters=3,
        nodes=2,
        users=(3, 3, 3),
        generation=("imp", "imp", "cup8"),
        versions=("14", "15", "8.6"),
        network="auto",
        agent_interval=0.05,
        shared_key=True,
    ) as running:
        one, two, three = running.clusters
        one.peer_with(two)
        one.peer_with(three)
        two.peer_with(three)
        assert eventually(
            lambda: all(len(c.agent.trusts) == 2 for c in running.clusters)
        )
        yield running


@pytest.fixture
def lab(db, exchange_lab, settings):
    settings.DNS_SERVERS = [exchange_lab.describe()["dns"]]
    exchange_lab.made = [register(one) for one in exchange_lab.describe()["clusters"]]
    for cluster, there in zip(exchange_lab.made, exchange_lab.clusters, strict=True):
        Cluster.objects.filter(pk=cluster.pk).update(
            version=there.release.version, pages_port=there.publisher.axl_port
        )
        for other in exchange_lab.made:
            if other is not cluster:
                target = other.publisher.address
                Peer.objects.create(
                    cluster=cluster, remote_cluster=other, address=target
                )
    yield exchange_lab
    exchange_lab.clear_faults()
    for there in exchange_lab.clusters:
        for node in there.nodes:
            node.calls.clear()
        for address in list(there.agent.exchanged):
            there.agent.exchange_certificates(address)


def enter(cluster, password):
    row = Cluster.objects.get(pk=cluster.pk)
    row.os_username = USERNAME
    editing.save_cluster(row, CONSOLE, os_password=password, fields=["os_username"])


def accounts(lab):
    for cluster, there in zip(lab.made[:2], lab.clusters[:2], strict=True):
        enter(cluster, password_of(there.name))


def read(lab, *, scheduled=False):
    clusters = list(Cluster.objects.order_by("name"))
    return done(ReadCertificates.submit(clusters, scheduled=scheduled))


def states(lab, home, remote):
    found = load_certificates()
    pair = str(lab.made[home].pk), str(lab.made[remote].pk)
    return {(s.checks[0].service, s.state) for s in found.by_certificate(*pair)}


def asked(lab, number):
    return [
        call
        for node in lab.clusters[number].nodes
        for call in node.calls
        if call.path.startswith("/platformcom/")
    ]


def test_after_the_sync_both_releases_trust_each_other(lab):
    accounts(lab)
    job = read(lab)
    assert job.state == Job.State.SUCCEEDED
    assert {state for _, state in states(lab, 0, 1)} == {TrustState.TRUSTED}
    assert {state for _, state in states(lab, 1, 0)} == {TrustState.TRUSTED}
    nodes = NodeCertificates.objects.filter(node__cluster=lab.made[0])
    assert {row.seen_by for row in nodes} == {"rest"}


def test_an_older_release_shows_what_tls_shows_and_no_trust(lab):
    accounts(lab)
    enter(lab.made[2], "irrelevant")
    read(lab)
    row = NodeCertificates.objects.filter(node__cluster=lab.made[2]).first()
    assert (row.seen_by, row.trusts, row.code) == ("tls", {}, "older_release")
    assert set(row.identities) >= {"tomcat"}
    assert asked(lab, 2) == []
    assert ("tomcat", TrustState.TRUSTED) in states(lab, 0, 2)
    assert ("cup-xmpp", TrustState.UNKNOWN) in states(lab, 0, 2)
    assert {state for _, state in states(lab, 2, 0)} == {TrustState.UNKNOWN}


def test_without_an_account_nothing_is_sent_but_a_handshake(lab):
    read(lab)
    assert not any(asked(lab, number) for number in range(3))
    rows = NodeCertificates.objects.filter(node__cluster=lab.made[0])
    assert {(row.code, row.seen_by) for row in rows} == {("no_account", "tls")}


def test_one_question_for_each_node(lab):
    accounts(lab)
    read(lab)
    nodes = sum(Cluster.objects.get(pk=one.pk).nodes.count() for one in lab.made[:2])
    assert len(asked(lab, 0)) + len(asked(lab, 1)) == nodes


def test_a_refused_account_is_tried_once_and_not_again_on_a_schedule(lab):
    enter(lab.made[0], "wrong")
    job = read(lab)
    assert job.state == Job.State.FAILED
    assert len(asked(lab, 0)) == 1
    read(lab, scheduled=True)
    read(lab, scheduled=True)
    assert len(asked(lab, 0)) == 1
    rows = NodeCertificates.objects.filter(node__cluster=lab.made[0])
    assert {row.code for row in rows} == {"refused_before"}
    enter(lab.made[0], password_of("cup1"))
    read(lab, scheduled=True)
    assert len(asked(lab, 0)) > 1
    assert {row.refresh_from_db() or row.code for row in rows} == {""}


def test_missing_trust_is_named(lab):
    accounts(lab)
    lab.clusters[0].set_fault("certificates", "missing-trust")
    read(lab)
    assert {state for _, state in states(lab, 0, 1)} == {TrustState.MISSING}
    assert {state for _, state in states(lab, 1, 0)} == {TrustState.TRUSTED}


def test_a_renewed_certificate_is_old_elsewhere_until_the_sync(lab):
    accounts(lab)
    node = lab.clusters[1].publisher
    node.renew_certificate()
    mine = lab.made[1].publisher
    type(mine).objects.filter(pk=mine.pk).update(
        certificate_fingerprint=node.fingerprint
    )
    read(lab)
    assert ("tomcat", TrustState.OLD) in states(lab, 0, 1)
    assert ("cup", TrustState.TRUSTED) in states(lab, 0, 1)
    for address in list(lab.clusters[0].agent.exchanged):
        lab.clusters[0].agent.exchange_certificates(address)
    read(lab)
    assert ("tomcat", TrustState.TRUSTED) in states(lab, 0, 1)


@pytest.mark.parametrize("account", [True, False])
def test_a_cluster_of_which_nothing_was_read_fails(lab, account):
    if account:
        accounts(lab)
    for node in lab.clusters[0].nodes:
        node.set_fault("node", "down")
    job = read(lab)
    assert job.state == Job.State.FAILED
    failed = job.steps.filter(state="failed").values_list("key", flat=True)
    assert list(failed) == [str(lab.made[0].pk)]


def test_certificates_that_cannot_be_read_are_not_known(lab):
    accounts(lab)
    lab.clusters[0].set_fault("certificates", "broken-pem")
    read(lab)
    assert {state for _, state in states(lab, 0, 1)} == {TrustState.UNKNOWN}


def test_no_password_goes_to_a_node_that_is_not_confirmed(lab):
    accounts(lab)
    node = lab.made[0].publisher
    type(node).objects.filter(pk=node.pk).update(certificate_state="changed")
    read(lab)
    row = NodeCertificates.objects.get(pk=node.pk)
    assert row.code == "certificate_unknown"
    publisher = lab.clusters[0].publisher
    assert not [c for c in publisher.calls if c.path.startswith("/platformcom/")]


def test_a_schedule_reads_each_cluster_once_in_its_interval(lab, settings):
    read_when_due()
    assert Job.objects.filter(kind=ReadCertificates.name).exists()
    before = Job.objects.count()
    read_when_due()
    assert Job.objects.count() == before
    assert ReadCertificates.due(timezone.now()) == []
    settings.CERTIFICATES_INTERVAL = 0
    Job.objects.all().delete()
    assert ReadCertificates.due(timezone.now()) == []
