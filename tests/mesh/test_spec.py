"""The mesh from a file."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from clusters.models import Cluster, Node
from jobs.models import Job
from mesh import reconcile
from mesh.spec import parse_spec
from peers.models import Peer

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


def output_of(action, file, *more):
    """Return the output and the exit status of the command."""
    out = StringIO()
    try:
        call_command("mesh", action, file, *more, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


def test_a_plan_with_changes_ends_with_2_and_changes_nothing(pair, file):
    sentence, status = output_of("plan", file(PAIR))
    assert status == 2
    assert "+ east to west: west-pub.example.com, axladmin, UDP, +1408XXXX" in sentence
    assert "+ west to east" in sentence
    assert not Peer.objects.exists()


def test_applying_twice_changes_nothing(pair, file):
    path = file(PAIR)
    sentence, status = output_of("apply", path, "--no-wait")
    assert (status, Job.objects.count()) == (0, 1)
    planned = Job.objects.get().planned_entries.all()
    assert [entry.values["protocol"] for entry in planned] == ["UDP", "UDP"]
    assert output_of("apply", path, "--no-wait")[1] == 0
    assert Job.objects.count() == 1
    assert output_of("plan", path)[1] == 0


def test_a_whole_mesh_is_one_line(cluster_factory, file):
    for name in "abc":
        cluster_factory(name, version="8.6")
    text = "peerings:\n  - mesh: [a, b, c]\n  - {between: [c, a], protocol: TLS}\n"
    document = parse_spec(text)
    assert len(document.peerings) == 3
    assert [w.protocol for w in document.peerings if set(w.pair) == {"a", "c"}] == [
        "TLS"
    ]


def test_an_export_is_a_file_that_changes_nothing(pair, peer_factory, file, tmp_path):
    for side in (pair, pair[::-1]):
        peer_factory(*side, protocol="TLS", provisioning_state="applied")
    path = str(tmp_path / "export.yaml")
    output_of("export", path)
    text = (tmp_path / "export.yaml").read_text()
    assert "open sesame" not in text
    assert output_of("plan", path)[1] == 0


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
    assert output_of("plan", file(text))[1] == 2
    assert not Cluster.objects.exists()
    output_of("apply", file(text))
    rome = Cluster.objects.get()
    assert rome.unseal("axl_password").reveal() == "s3cret"
    assert Node.objects.get().name == "rome.example.com"
    assert output_of("plan", file(text))[1] == 0


def test_a_changed_field_of_a_cluster_is_planned_and_applied(pair, file):
    path = file("clusters:\n  - {name: east, domain: other.example.com}\n")
    sentence, status = output_of("plan", path)
    assert status == 2
    assert "domain example.com → other.example.com" in sentence
    output_of("apply", path)
    assert Cluster.objects.get(name="east").domain == "other.example.com"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("[]", "keys", ""),
        ("clusters: 1", "not_a_list", "clusters "),
        ("clusters: [1]", "not_a_mapping", "clusters, entry 1: "),
        ("clusters: [{name: a, name: b}]", "twice", "Line 1: name "),
        ("clusters: [{name: a}, {name: a}]", "twice", "The cluster a "),
        ("clusters: [{name: ''}]", "missing", "clusters, entry 1: name "),
        ("clusters: [{name: [a]}]", "not_a_text", "clusters, entry 1: name "),
        ("clusters: [{name: a, axl_password: hunter2}]", "password", "cluster a: "),
        ("clusters: [{name: a, colour: red}]", "unknown_key", "clusters, entry 1: "),
        (
            "clusters: [{name: a, axl_password: {file: /no/such}}]",
            "file",
            "cluster a: /no/such: ",
        ),
        ("peerings: [{between: [east, east]}]", "clusters", "peerings, entry 1: "),
        (
            "peerings: [{between: [east, west], protocol: SCTP}]",
            "choice",
            "peerings, entry 1: protocol ",
        ),
        (
            "peerings: [{between: [east, west], masks: {east: 1X2}}]",
            "x_last",
            "peerings, entry 1, mask of east: ",
        ),
        (
            "peerings: [{between: [east, west], masks: {rome: 1X}}]",
            "clusters",
            "peerings, entry 1: masks ",
        ),
        ("peerings: [{between: [east, rome]}]", "no_cluster", "There is "),
        ("peerings: [{mesh: [east]}]", "clusters", "peerings, entry 1: "),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(pair, file, text, code, place):
    with pytest.raises(CommandError) as error:
        call_command("mesh", "apply", file(text))
    assert error.value.__cause__.code == code
    assert str(error.value).startswith(place)
    assert "hunter2" not in str(error.value)
    assert not Job.objects.exists()


def test_a_one_sided_pair_is_a_comment_in_the_export(pair, peer_factory):
    peer_factory(*pair)
    assert "# one-sided, so not listed: east to west" in reconcile.export_yaml()


ADDED = """
clusters:
  - name: Rome
    publisher: {{name: "{name}", address: "{address}"}}
    axl_username: axl
    axl_password: {{env: ROME_PASSWORD}}
"""


def added(name="rome.example.com", address="10.1.1.9"):
    return ADDED.format(name=name, address=address)


def test_peers_that_waited_for_a_cluster_find_it_when_a_file_adds_it(
    pair, file, monkeypatch
):
    monkeypatch.setenv("ROME_PASSWORD", "s3cret")
    for address in ("Rome.example.com", "10.2.2.2"):
        Peer.objects.create(cluster=pair[0], address=address.lower())
    output_of("apply", file(added()))
    rome = Cluster.objects.get(name="Rome")
    assert Peer.objects.get(remote_cluster=rome).address == "rome.example.com"
    rest = "clusters:\n  - {name: Rome, publisher: {address: 10.2.2.2}}\n"
    output_of("apply", file(rest))
    assert Peer.objects.filter(remote_cluster=rome).count() == 2


def test_a_file_stores_names_as_the_pages_do(file, monkeypatch):
    monkeypatch.setenv("ROME_PASSWORD", "s3cret")
    path = file(added("ROME.example.com.", "2001:DB8::1"))
    output_of("apply", path)
    node = Node.objects.get()
    assert (node.name, node.address) == ("rome.example.com", "2001:db8::1")
    assert output_of("plan", path)[1] == 0


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (
            added(address="127.66.1.1"),
            "same-address",
            "cluster Rome, publisher address: east-pub",
        ),
        (
            "clusters:\n  - {name: west, publisher: {address: 127.66.1.1}}\n",
            "same-address",
            "cluster west, publisher address: east-pub",
        ),
        (
            "clusters:\n  - {name: west, axl_username: ''}\n",
            "blank",
            "cluster west, axl_username: ",
        ),
        (added().replace("Rome", "R" * 101), "max_length", "cluster RRR"),
    ],
)
def test_a_file_keeps_to_the_rules_of_the_pages(
    pair, file, monkeypatch, text, code, place
):
    monkeypatch.setenv("ROME_PASSWORD", "s3cret")
    before = set(Node.objects.values_list("name", "address", "revision"))
    with pytest.raises(CommandError) as caught:
        output_of("apply", file(text))
    assert caught.value.__cause__.code == code
    assert str(caught.value).startswith(place)
    assert set(Node.objects.values_list("name", "address", "revision")) == before
    assert Cluster.objects.count() == 2


def test_a_cluster_without_a_publisher_gets_that_of_the_file(pair, file):
    pair[1].nodes.all().delete()
    text = "clusters:\n  - {name: west, publisher: {address: 10.1.1.9}}\n"
    with pytest.raises(CommandError) as caught:
        output_of("apply", file(text))
    assert caught.value.__cause__.code == "blank"
    output_of("apply", file(text.replace("address:", "name: w.example.com, address:")))
    assert Cluster.objects.get(name="west").publisher.name == "w.example.com"


def test_somebody_who_was_faster_is_no_error_of_the_database(pair, file, monkeypatch):
    monkeypatch.setenv("ROME_PASSWORD", "s3cret")
    monkeypatch.setattr(reconcile, "existing_clusters", dict)
    text = added().replace("Rome", "east")
    with pytest.raises(CommandError) as caught:
        output_of("apply", file(text))
    assert caught.value.__cause__.code == "changed"


def test_a_file_that_cannot_be_read_or_written_is_named(db, tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"\xff")
    for action, name in (
        ("plan", "missing.yaml"),
        ("plan", "latin.yaml"),
        ("plan", "."),
        ("export", "."),
        ("export", "missing/mesh.yaml"),
    ):
        path = str(tmp_path / name)
        with pytest.raises(CommandError) as caught:
            output_of(action, path)
        assert str(caught.value).startswith(path)
        assert "Errno" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff", None])
def test_a_password_file_without_a_password_deletes_none(pair, file, tmp_path, content):
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content)
    text = f"clusters:\n  - {{name: west, axl_password: {{file: {secret}}}}}\n"
    with pytest.raises(CommandError) as caught:
        output_of("apply", file(text))
    assert caught.value.__cause__.code == "file"
    assert pair[1].unseal("axl_password")
