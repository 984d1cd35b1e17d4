"""The mesh from a file."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from jobs.models import Job
from mesh import files
from mesh.document import parse
from peers.models import Cluster, Node, Peer

pytestmark = pytest.mark.django_db

PAIR = """
peerings:
  - between: [east, west]
    protocol: UDP
    masks: {east: +1408XXXX}
"""


@pytest.fixture
def pair(cluster_factory):
    known = {"version": "8.6", "generation": "cup8"}
    return cluster_factory("east", **known), cluster_factory("west", **known)


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "mesh.yaml"
        path.write_text(text)
        return str(path)

    return write


def told(action, file, *more):
    """Return the output and the exit status of the command."""
    out = StringIO()
    try:
        call_command("mesh", action, file, *more, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


def test_a_plan_with_changes_ends_with_2_and_changes_nothing(pair, file):
    said, status = told("plan", file(PAIR))
    assert status == 2
    assert "+ east to west: west-pub.example.com, axladmin, UDP, +1408XXXX" in said
    assert "+ west to east" in said
    assert not Peer.objects.exists()


def test_applying_twice_changes_nothing(pair, file):
    path = file(PAIR)
    said, status = told("apply", path, "--no-wait")
    assert (status, Job.objects.count()) == (0, 1)
    assert {peer.protocol for peer in Peer.objects.all()} == {"UDP"}
    assert told("apply", path, "--no-wait")[1] == 0
    assert Job.objects.count() == 1
    assert told("plan", path) == ("Nothing to change.\n", 0)


def test_a_whole_mesh_is_one_line(cluster_factory, file):
    for name in "abc":
        cluster_factory(name, version="8.6")
    text = "peerings:\n  - mesh: [a, b, c]\n  - {between: [c, a], protocol: TLS}\n"
    document = parse(text)
    assert len(document.peerings) == 3
    assert [w.protocol for w in document.peerings if set(w.pair) == {"a", "c"}] == [
        "TLS"
    ]


def test_an_export_is_a_file_that_changes_nothing(pair, peer_factory, file, tmp_path):
    for side in (pair, pair[::-1]):
        peer_factory(*side, protocol="TLS", provisioning_state="applied")
    path = str(tmp_path / "export.yaml")
    told("export", path)
    text = (tmp_path / "export.yaml").read_text()
    assert "open sesame" not in text
    assert told("plan", path) == ("Nothing to change.\n", 0)


def test_a_cluster_is_added_from_a_file(file, monkeypatch):
    monkeypatch.setenv("ROME_PASSWORD", "s3cret")
    text = """
clusters:
  - name: Rome
    publisher: {name: rome.example.com, address: 10.1.1.9}
    axl_username: axl
    axl_password: {env: ROME_PASSWORD}
    provisioning: direct
"""
    assert told("plan", file(text))[1] == 2
    assert not Cluster.objects.exists()
    told("apply", file(text))
    rome = Cluster.objects.get()
    assert rome.unseal("axl_password").reveal() == "s3cret"
    assert Node.objects.get().name == "rome.example.com"
    assert told("plan", file(text)) == ("Nothing to change.\n", 0)


def test_a_changed_field_of_a_cluster_is_planned_and_applied(pair, file):
    path = file("clusters:\n  - {name: east, domain: other.example.com}\n")
    said, status = told("plan", path)
    assert status == 2
    assert "domain example.com → other.example.com" in said
    told("apply", path)
    assert Cluster.objects.get(name="east").domain == "other.example.com"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "clusters and peerings"),
        ("clusters: 1", "must be a list"),
        ("clusters: [{name: a, name: b}]", "name is there twice"),
        ("clusters: [{name: a}, {name: a}]", "is there twice"),
        ("clusters: [{name: a, axl_password: hunter2}]", "never in the file"),
        ("clusters: [{name: a, colour: red}]", "colour is not a key"),
        ("clusters: [{name: a, axl_password: {file: /no/such}}]", "No such file"),
        ("peerings: [{between: [east, east]}]", "two different"),
        ("peerings: [{between: [east, west], protocol: SCTP}]", "TCP, UDP or TLS"),
        ("peerings: [{between: [east, west], masks: {east: 1X2}}]", "come last"),
        ("peerings: [{between: [east, west], masks: {rome: 1X}}]", "by the names"),
        ("peerings: [{between: [east, rome]}]", "There is no cluster rome"),
        ("peerings: [{mesh: [east]}]", "at least two"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(pair, file, text, sentence):
    with pytest.raises(CommandError) as error:
        call_command("mesh", "apply", file(text))
    assert sentence in str(error.value)
    assert "hunter2" not in str(error.value)
    assert not Job.objects.exists()


def test_a_one_sided_pair_is_a_comment_in_the_export(pair, peer_factory):
    peer_factory(*pair)
    assert "# one-sided, so not listed: east to west" in files.export()
