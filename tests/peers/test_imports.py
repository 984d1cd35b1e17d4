import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import AuditEntry
from clusters.models import Cluster
from jobs.models import Job
from peers.imports import parse
from peers.models import Peer, Upload

IMPORT = reverse("peers:import")
CLUSTERS = (
    "name,axl_username,axl_password,publisher_name,publisher_address\r\n"
    "Rome,axl,open sesame,rome-pub.example.com,10.1.1.1\r\n"
)
PEERS = (
    "cluster,address,username,password,external_phone_number_mask\n"
    "Madrid,10.9.9.9,ic,open sesame,'+1408XXXX\n"
)
BOTH = """
clusters:
  - name: Rome
    axl_username: axl
    axl_password: open sesame
    publisher_address: 10.1.1.1
peers:
  - {cluster: Madrid, address: 10.1.1.1, username: no, password: open sesame}
  - {cluster: Rome, address: madrid-pub.example.com, username: ic, password: x1y2z}
"""


@pytest.fixture
def madrid(cluster_factory):
    madrid = cluster_factory("Madrid")
    madrid.nodes.update(name="madrid-pub.example.com")
    return madrid


def send(client, text, name="file.csv"):
    content = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile(name, content)
    return client.post(IMPORT, {"file": file}, follow=True)


def confirm(client):
    url = reverse("peers:import_preview", args=[Upload.objects.get().pk])
    return client.post(url, follow=True)


def test_preview_changes_nothing_and_shows_no_password(ada, madrid):
    text = send(ada, CLUSTERS).content.decode()
    assert "1 to add, 0 to change" in text and "open sesame" not in text
    assert Cluster.objects.count() == 1 and not Job.objects.exists()


def test_file_is_sealed_until_it_is_imported(ada, madrid):
    send(ada, CLUSTERS)
    assert Upload.objects.get().content.startswith("v1|")
    confirm(ada)
    assert not Upload.objects.exists()


def test_clusters_come_with_their_publisher(ada, madrid):
    send(ada, CLUSTERS)
    confirm(ada)
    rome = Cluster.objects.get(name="Rome")
    assert rome.publisher.address == "10.1.1.1"
    assert rome.unseal("axl_password").reveal() == "open sesame"


def test_peers_are_provisioned_and_audited(ada, madrid):
    send(ada, PEERS)
    confirm(ada)
    peer = Peer.objects.get()
    assert peer.external_phone_number_mask == "+1408XXXX"
    assert Job.objects.get().target_id == str(peer.pk)
    assert AuditEntry.objects.filter(action="add peer").exists()


def test_yaml_holds_both_and_a_peer_may_need_a_cluster_of_the_file(ada, madrid):
    assert "3 to add" in send(ada, BOTH, "mesh.yaml").content.decode()
    confirm(ada)
    peer = Peer.objects.get(cluster__name="Madrid")
    assert (peer.username, peer.remote_cluster.name) == ("no", "Rome")


def test_the_same_file_twice_changes_nothing(ada, madrid):
    text = BOTH.replace("password: open sesame", "password: ''").replace("x1y2z", "''")
    send(ada, BOTH, "mesh.yaml")
    confirm(ada)
    assert "0 to add, 0 to change" in send(ada, text, "mesh.yaml").content.decode()


def test_known_rows_are_changed_where_the_file_differs(ada, madrid):
    send(ada, "name,domain\nMadrid,new.example\n")
    assert "1 changed" in confirm(ada).content.decode()
    madrid.refresh_from_db()
    assert (madrid.domain, madrid.axl_username) == ("new.example", "axladmin")


def test_one_error_keeps_everything_out(ada, madrid):
    text = send(ada, PEERS + "Madrid,not an address,ic,pw,\n").content.decode()
    assert "Nothing was imported" in text and "address: " in text
    confirm(ada)
    assert not Peer.objects.exists()


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("Nowhere,10.1.1.1,ic,pw,", "There is no cluster"),
        ("Madrid,10.1.1.1,ic,,", "password: This field is required"),
        ("Madrid,10.1.1.1,ic,pw,1X1", "must come last"),
        ("Madrid,10.1.1.1,ic", "3 cells under 5 columns"),
        ("Madrid,10.9.9.9,ic,pw,", ""),
    ],
)
def test_errors_name_their_line(ada, madrid, row, sentence):
    text = send(ada, f"{PEERS}{row}\n").content.decode()
    assert (
        (sentence in text and ">3</td>" in text) if sentence else "errors" not in text
    )


@pytest.mark.parametrize(
    ("columns", "cells", "sentence"),
    [
        ("", "", "publisher_address: A new cluster needs the address of its publisher"),
        (",publisher_name", ",rome-pub", "publisher_address: A new cluster needs"),
        (",axl_port", ",8443", "publisher_address: A new cluster needs the address"),
        (",publisher_address", ",not one", "publisher_address: The address must not"),
        (",publisher_address", ",127.66.1.1", "publisher_address: madrid-pub.example"),
    ],
)
def test_a_publisher_that_is_missing_or_wrong_is_told_by_line_and_column(
    ada, madrid, columns, cells, sentence
):
    rows = f"name,axl_username,axl_password{columns}\nRome,axl,pw{cells}\n"
    text = send(ada, rows).content.decode()
    assert sentence in text and ">2</td>" in text
    assert not re.search(r"\b(name|address): ", text)
    confirm(ada)
    assert not Cluster.objects.filter(name="Rome").exists()


def test_known_cluster_may_go_on_without_a_publisher(ada, madrid):
    madrid.nodes.all().delete()
    send(ada, "name,domain,publisher_address\nMadrid,new.example,\n")
    confirm(ada)
    madrid.refresh_from_db()
    assert madrid.domain == "new.example" and not madrid.nodes.exists()


def test_known_cluster_can_be_given_its_publisher(ada, madrid):
    madrid.nodes.all().delete()
    send(ada, "name,publisher_address,sip_port\nMadrid,10.5.5.5,5070\n")
    confirm(ada)
    node = madrid.nodes.get()
    assert (node.name, node.sip_port, node.role) == ("10.5.5.5", 5070, "publisher")


def test_a_column_that_is_not_there_does_not_rename_the_publisher(ada, madrid):
    send(ada, "name,publisher_address\nMadrid,10.5.5.5\n")
    confirm(ada)
    node = madrid.nodes.get()
    assert (node.name, node.address) == ("madrid-pub.example.com", "10.5.5.5")


def test_columns_of_an_export_stand_in_their_order(ada, madrid):
    content = ada.get(reverse("peers:export_file", args=["clusters-csv"])).getvalue()
    heading, row = content.decode("utf-8-sig").splitlines()
    assert heading.replace('"', "") == (
        "name,domain,address_scheme,description,site,axl_username,provisioning,"
        "publisher_name,publisher_address,axl_port,sip_port,sip_tls_port,sip_peer_tls_port"
    )
    assert row.endswith(
        '"madrid-pub.example.com","127.66.1.1","8443","5060","5061","5062"'
    )


def test_each_column_of_a_publisher_is_a_column_of_clusters():
    assert set(parse.NODE_COLUMNS) < set(parse.CLUSTER_COLUMNS)


def test_warnings_are_judged_with_all_rows_in(ada, madrid):
    one_side = BOTH[: BOTH.index("  - {cluster: Rome")]
    text = send(ada, one_side, "mesh.yaml").content.decode()
    assert "Rome has no matching peer for Madrid" in text
    text = send(ada, BOTH, "mesh.yaml").content.decode()
    assert "no matching peer for" not in text
    row = text[text.index(">8</td>") : text.index(">9</td>")]
    assert "Whether the Sync Agent of Madrid and Rome" in row


def test_a_row_of_a_known_peer_leads_to_it(ada, madrid, peer_factory):
    peer = peer_factory(madrid, madrid, address="10.9.9.9")
    new = PEERS.replace("10.9.9.9", "10.8.8.8").splitlines()[1]
    text = send(ada, f"{PEERS}{new}\n").content.decode()
    assert text.count(f'href="{peer.get_absolute_url()}"') == 1
    # A peer that is still to be added has no page.
    assert "Peer 10.8.8.8 on Madrid" in text


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("f.csv", "", "there is no column"),
        ("f.csv", "name\n", "no entries"),
        ("f.csv", "name,password\nx,y\n", "no column &#x27;password&#x27;"),
        ("f.csv", "name,name\nx,y\n", "twice"),
        ("f.csv", "cluster\nx\n", "address is missing"),
        ("f.csv", 'name\n"lost\n', "Line 2: a quotation mark is not closed"),
        ("f.csv", b"name\n\xff\n", "Line 2: this is not UTF-8"),
        ("f.csv", "name\na\0b\n", "NUL"),
        (
            "f.csv",
            "cluster,address\n" + "x,x\n" * 10_001,
            "more than 10,000 rows: split",
        ),
        ("f.csv", "name\n" + "x\n" * 1_001, "more than 1,000 clusters: split it"),
        ("f.yaml", "peers:\n" + "- x\n" * 10_001, "more than 10,000 rows: split it"),
        ("f.csv", "x" * 4_194_305, "larger than 4 MiB"),
        ("f.yaml", "x" * 4_194_305, "larger than 4 MiB"),
        ("f.txt", "name\nx\n", "must end in"),
        ("f.yaml", "- a", "the keys clusters and peers"),
        ("f.yaml", "clusters: &a [*a]", "aliases"),
        ("f.yaml", "clusters: []\nclusters: []", "twice"),
        ("f.yaml", "clusters: x", "must be a list"),
        ("f.yaml", "clusters: " + "[" * 3_000, "Line 1"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(ada, madrid, name, text, sentence):
    if not text:
        sentence = "empty"
    assert sentence in send(ada, text, name).content.decode()
    assert not Upload.objects.exists()


def test_byte_order_mark_of_a_spreadsheet_is_no_part_of_the_heading(ada, madrid):
    content = b"\xef\xbb\xbf" + CLUSTERS.encode()
    assert "1 to add" in send(ada, content).content.decode()


def test_yaml_entries_know_their_lines():
    entries = parse.read_entries(BOTH.encode(), is_yaml=True)
    assert [entry.line for entry in entries] == [3, 8, 9]


@pytest.mark.parametrize("what", ["clusters-csv", "yaml"])
def test_export_of_a_cluster_without_a_publisher_is_read_again(ada, madrid, what):
    madrid.nodes.all().delete()
    content = ada.get(reverse("peers:export_file", args=[what])).getvalue()
    name = "f.yaml" if what == "yaml" else "f.csv"
    text = send(ada, content, name).content.decode()
    assert "0 to add, 0 to change" in text and "with errors" not in text


@pytest.mark.parametrize("what", ["clusters-csv", "peers-csv", "yaml"])
def test_export_is_read_again_and_holds_no_password(ada, madrid, peer_factory, what):
    mask = {"external_phone_number_mask": "+1408XXXX"}
    peer_factory(madrid, madrid, address="10.7.7.7", **mask)
    content = ada.get(reverse("peers:export_file", args=[what])).getvalue()
    assert b"open sesame" not in content and b"v1|" not in content
    name = "f.yaml" if what == "yaml" else "f.csv"
    assert "0 to add, 0 to change" in send(ada, content, name).content.decode()


def test_a_cell_that_a_spreadsheet_would_run_is_guarded(ada, madrid, peer_factory):
    mask = {"external_phone_number_mask": "+1408XXXX"}
    peer_factory(madrid, madrid, address="10.7.7.7", **mask)
    url = reverse("peers:export_file", args=["peers-csv"])
    assert b'"\'+1408XXXX"' in ada.get(url).getvalue()


def test_nobody_else_sees_an_upload(ada, madrid, client_of, django_user_model):
    send(ada, CLUSTERS)
    other = django_user_model.objects.create_superuser("eve")
    url = reverse("peers:import_preview", args=[Upload.objects.get().pk])
    assert client_of(other).get(url).status_code in (403, 404)


def test_operator_may_not_import(operator, client_of):
    assert client_of(operator).get(IMPORT).status_code == 403


def test_export_of_something_else_is_not_found(ada):
    assert ada.get(reverse("peers:export_file", args=["jobs"])).status_code == 404
