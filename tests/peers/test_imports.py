import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.html import escape

from accounts.models import AuditEntry
from clusters.models import Cluster
from jobs.models import Job
from peers.imports import parse, validate
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


def preview(client, text, name="file.csv"):
    return send(client, text, name).context["result"]


def confirm(client):
    url = reverse("peers:import_preview", args=[Upload.objects.get().pk])
    return client.post(url, follow=True)


def test_preview_changes_nothing_and_shows_no_password(ada, madrid):
    answer = send(ada, CLUSTERS)
    result = answer.context["result"]
    assert (result.added, result.edited) == (1, 0)
    assert "open sesame" not in answer.content.decode()
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
    assert preview(ada, BOTH, "mesh.yaml").added == 3
    confirm(ada)
    peer = Peer.objects.get(cluster__name="Madrid")
    assert (peer.username, peer.remote_cluster.name) == ("no", "Rome")


def test_the_same_file_twice_changes_nothing(ada, madrid):
    text = BOTH.replace("password: open sesame", "password: ''").replace("x1y2z", "''")
    send(ada, BOTH, "mesh.yaml")
    confirm(ada)
    result = preview(ada, text, "mesh.yaml")
    assert len(result.effects) == 3 and result.changes == result.errors == []


def test_known_rows_are_changed_where_the_file_differs(ada, madrid):
    send(ada, "name,domain\nMadrid,new.example\n")
    assert "1 changed" in confirm(ada).content.decode()
    madrid.refresh_from_db()
    assert (madrid.domain, madrid.axl_username) == ("new.example", "axladmin")


def test_one_error_keeps_everything_out(ada, madrid):
    (effect,) = preview(ada, PEERS + "Madrid,not an address,ic,pw,\n").errors
    assert effect.errors[0].startswith("address: ")
    confirm(ada)
    assert not Peer.objects.exists()


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("Nowhere,10.1.1.1,ic,pw,", "'Nowhere'"),
        ("Madrid,10.1.1.1,ic,,", "password: "),
        ("Madrid,10.1.1.1,ic,pw,1X1", "external_phone_number_mask: "),
        ("Madrid,10.1.1.1,ic", "3 cells"),
    ],
)
def test_errors_name_their_line(ada, madrid, row, named):
    answer = send(ada, f"{PEERS}{row}\n")
    (effect,) = answer.context["result"].errors
    (sentence,) = effect.errors
    assert effect.entry.line == 3 and named in sentence
    assert escape(sentence) in answer.content.decode()


def test_a_row_for_a_peer_of_the_same_file_is_no_error(ada, madrid):
    assert preview(ada, f"{PEERS}Madrid,10.9.9.9,ic,pw,\n").errors == []


@pytest.mark.parametrize(
    ("columns", "cells", "named"),
    [
        ("", "", validate.NO_PUBLISHER),
        (",publisher_name", ",rome-pub", validate.NO_PUBLISHER),
        (",axl_port", ",8443", validate.NO_PUBLISHER),
        (",publisher_address", ",not one", "spaces"),
        (",publisher_address", ",127.66.1.1", "madrid-pub.example.com"),
    ],
)
def test_a_publisher_that_is_missing_or_wrong_is_told_by_line_and_column(
    ada, madrid, columns, cells, named
):
    rows = f"name,axl_username,axl_password{columns}\nRome,axl,pw{cells}\n"
    (effect,) = preview(ada, rows).errors
    assert effect.entry.line == 2
    by_column = dict(one.split(": ", 1) for one in effect.errors)
    assert named in by_column["publisher_address"]
    assert by_column.keys() <= {"publisher_address", "publisher_name"}
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
    alone = warnings_of(preview(ada, one_side, "mesh.yaml"), 8)
    both = warnings_of(preview(ada, BOTH, "mesh.yaml"), 8)
    (no_match,) = alone - both
    (unfinished_sync,) = both
    assert "Rome" in no_match and "Madrid" in no_match
    assert "Sync Agent" in unfinished_sync


def warnings_of(result, line):
    (effect,) = [one for one in result.effects if one.entry.line == line]
    return set(effect.warnings)


def test_a_row_of_a_known_peer_leads_to_it(ada, madrid, peer_factory):
    peer = peer_factory(madrid, madrid, address="10.9.9.9")
    new = PEERS.replace("10.9.9.9", "10.8.8.8").splitlines()[1]
    text = send(ada, f"{PEERS}{new}\n").content.decode()
    assert text.count(f'href="{peer.get_absolute_url()}"') == 1
    # A peer that is still to be added has no page.
    assert "Peer 10.8.8.8 on Madrid" in text


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("f.csv", "", "empty"),
        ("f.csv", "name\n", "no_entries"),
        ("f.csv", "name,password\nx,y\n", "unknown_column"),
        ("f.csv", "name,name\nx,y\n", "repeated_column"),
        ("f.csv", "cluster\nx\n", "missing_column"),
        ("f.csv", 'name\n"lost\n', "syntax"),
        ("f.csv", b"name\n\xff\n", "encoding"),
        ("f.csv", "name\na\0b\n", "nul"),
        ("f.csv", "cluster,address\n" + "x,x\n" * 10_001, "rows"),
        ("f.csv", "name\n" + "x\n" * 1_001, "clusters"),
        ("f.yaml", "peers:\n" + "- x\n" * 10_001, "rows"),
        ("f.csv", "x" * 4_194_305, "too_large"),
        ("f.yaml", "x" * 4_194_305, "too_large"),
        ("f.txt", "name\nx\n", "ending"),
        ("f.yaml", "- a", "keys"),
        ("f.yaml", "clusters: &a [*a]", "anchors"),
        ("f.yaml", "clusters: []\nclusters: []", "twice"),
        ("f.yaml", "clusters: x", "not_a_list"),
        ("f.yaml", "clusters: " + "[" * 3_000, "levels"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(ada, madrid, name, text, code):
    (error,) = send(ada, text, name).context["form"].errors.as_data()["file"]
    assert error.code == code
    assert not Upload.objects.exists()


def test_byte_order_mark_of_a_spreadsheet_is_no_part_of_the_heading(ada, madrid):
    content = b"\xef\xbb\xbf" + CLUSTERS.encode()
    assert preview(ada, content).added == 1


def test_yaml_entries_know_their_lines():
    entries = parse.read_entries(BOTH.encode(), is_yaml=True)
    assert [entry.line for entry in entries] == [3, 8, 9]


@pytest.mark.parametrize("what", ["clusters-csv", "yaml"])
def test_export_of_a_cluster_without_a_publisher_is_read_again(ada, madrid, what):
    madrid.nodes.all().delete()
    content = ada.get(reverse("peers:export_file", args=[what])).getvalue()
    name = "f.yaml" if what == "yaml" else "f.csv"
    result = preview(ada, content, name)
    assert result.effects and result.changes == result.errors == []


@pytest.mark.parametrize("what", ["clusters-csv", "peers-csv", "yaml"])
def test_export_is_read_again_and_holds_no_password(ada, madrid, peer_factory, what):
    mask = {"external_phone_number_mask": "+1408XXXX"}
    peer_factory(madrid, madrid, address="10.7.7.7", **mask)
    content = ada.get(reverse("peers:export_file", args=[what])).getvalue()
    assert b"open sesame" not in content and b"v1|" not in content
    name = "f.yaml" if what == "yaml" else "f.csv"
    result = preview(ada, content, name)
    assert result.effects and result.changes == result.errors == []


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
