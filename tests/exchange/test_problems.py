"""The overview: one cause for what is missing, replaced, about to expire or refused."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clusters.models import Node
from diagnostics.exchanged import exchanged_trust
from exchange.models import NodeCertificates
from exchange.pairs import NOT_READ
from overview.models import Problem
from overview.renewal import renew_problems
from overview.sources import certificates
from peers.models import Peer
from tests.exchange.conftest import make

CODES = ("trust_missing", "trust_old", "exchanged_expiring", "exchanged_expired")
CODES += ("os_account_refused", "certificates_unread")


@pytest.fixture(autouse=True)
def healthy(mesh):
    now = timezone.now()
    Peer.objects.update(outcome="passed", checked_at=now, provisioning_state="applied")
    Node.objects.update(
        certificate_state="trusted", certificate_not_after=now + timedelta(days=400)
    )


def found():
    renew_problems()
    return [p for p in Problem.objects.order_by("key") if p.code in CODES]


def test_trusted_certificates_are_no_problem(mesh):
    assert found() == []


def test_missing_trust_is_one_cause_at_the_cluster_that_lacks_it(mesh):
    for node in mesh.nodes(mesh.home):
        mesh.read(node, [])
    [problem] = found()
    assert (problem.code, problem.severity) == ("trust_missing", "failed")
    assert problem.cluster_id == mesh.home.pk
    peer = Peer.objects.get(cluster=mesh.home)
    assert [one["id"] for one in problem.affects] == [str(peer.pk)]
    mesh.read_all()
    assert found() == []


def test_a_replaced_certificate_is_one_cause_at_its_node(mesh):
    node = mesh.nodes(mesh.remote)[0]
    before = mesh.everything
    mesh.own[node.pk]["tomcat"] = make(node.name)
    mesh.read(node, mesh.everything)
    for home in mesh.nodes(mesh.home):
        mesh.read(home, before)
    [problem] = found()
    assert (problem.code, problem.cluster_id) == ("trust_old", mesh.remote.pk)
    assert node.name in problem.sentence


def test_trouble_with_another_cause_is_not_told_twice(mesh):
    for node in mesh.nodes(mesh.home):
        mesh.read(node, [])
    entry = {"code": "axl", "label": "AXL", "outcome": "failed", "problem": "x"}
    Peer.objects.filter(cluster=mesh.home).update(
        outcome="failed", entries=[entry | {"solution": "", "fix_url": ""}]
    )
    assert found() == []


@pytest.mark.parametrize(
    ("days", "code", "severity"),
    [
        (30, "exchanged_expiring", "warning"),
        (-2, "exchanged_expired", "failed"),
        (31, None, None),
    ],
)
def test_a_certificate_that_ends_is_told_once_for_all_clusters(
    mesh, days, code, severity
):
    node = mesh.nodes(mesh.remote)[1]
    mesh.own[node.pk]["cup"] = make(node.name, days=days)
    mesh.read_all()
    problems = [(one.code, one.severity) for one in found()]
    assert problems == ([(code, severity)] if code else [])


def test_a_refused_account_is_a_warning_of_its_cluster(mesh):
    rows = NodeCertificates.objects.filter(node__cluster=mesh.home)
    rows.update(code="unauthorized")
    assert found() == []
    type(mesh.home).objects.filter(pk=mesh.home.pk).update(os_username="osadmin")
    [problem] = found()
    assert (problem.code, len(problem.affects)) == ("os_account_refused", 2)
    assert problem.fix_url.endswith("#id_os_password")


def test_what_is_not_known_is_no_problem(mesh):
    NodeCertificates.objects.update(trusts={})
    assert found() == []


def test_the_troubleshooter_is_given_what_is_known_and_no_name_of_the_other_side(mesh):
    pair = str(mesh.home.pk), str(mesh.remote.pk)
    assert exchanged_trust()[pair].outcome == "passed"
    for node in mesh.nodes(mesh.home):
        mesh.read(node, [])
    fact = exchanged_trust()[pair]
    assert fact.outcome == "failed"
    assert "tomcat" in fact.problem and " 2 " in fact.problem
    assert "cup2" not in fact.problem
    NodeCertificates.objects.filter(node__cluster=mesh.home).delete()
    fact = exchanged_trust()[pair]
    assert (fact.outcome, fact.problem) == ("unknown", NOT_READ)


def replace_tomcat(mesh, days=400):
    """Give a remote node another certificate, of which the home cluster knows none."""
    node, before = mesh.nodes(mesh.remote)[0], mesh.everything
    mesh.own[node.pk]["tomcat"] = make(node.name, days=days)
    mesh.read(node, mesh.everything)
    for home in mesh.nodes(mesh.home):
        mesh.read(home, before)
    return node


def test_certificate_that_waits_to_be_confirmed_is_the_cause_of_old_trust(mesh):
    node = replace_tomcat(mesh)
    Node.objects.filter(pk=node.pk).update(certificate_state="changed")
    assert found() == []
    problem = Problem.objects.get(code="certificate_changed")
    peer = Peer.objects.get(cluster=mesh.home)
    assert str(peer.pk) in {one["id"] for one in problem.affects}


def test_old_trust_of_a_peer_with_another_cause_is_not_told_twice(mesh):
    replace_tomcat(mesh)
    entry = {"code": "sip", "label": "SIP", "outcome": "failed", "problem": "x"}
    Peer.objects.filter(cluster=mesh.home).update(
        outcome="failed", entries=[entry | {"solution": "", "fix_url": ""}]
    )
    assert found() == []


def test_certificate_that_has_expired_is_not_replaced(mesh):
    node = mesh.nodes(mesh.remote)[0]
    mesh.own[node.pk]["cup"] = make(node.name, days=-2)
    tomcat = mesh.own[node.pk]["tomcat"]
    mesh.read_all()
    assert [one.code for one in found()] == ["exchanged_expired"]
    for home in mesh.nodes(mesh.home):
        mesh.read(home, [one for one in mesh.everything if one is not tomcat])
    expired, old = found()
    assert (expired.code, old.code) == ("exchanged_expired", "trust_old")
    assert " tomcat " in old.sentence


def test_certificate_that_is_known_to_end_is_told_once(mesh):
    node = mesh.nodes(mesh.remote)[0]
    mesh.own[node.pk]["tomcat"] = make(node.name, days=10)
    mesh.read_all()
    assert [one.code for one in found()] == ["exchanged_expiring"]
    soon = timezone.now() + timedelta(days=10)
    Node.objects.filter(pk=node.pk).update(certificate_not_after=soon)
    assert found() == []
    assert Problem.objects.filter(code="certificate_expiring").exists()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
    ],
)
def test_many_clusters_are_not_all_named(names, words):
    assert certificates.join_names(names) == words
