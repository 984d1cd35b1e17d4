"""Files as spreadsheets of many countries and their users write them."""

import codecs

import pytest

from base.unreadable import Unreadable
from clusters.models import Cluster
from peers.imports import apply, parse

HEADING = "cluster,address,username,protocol,external_phone_number_mask,password"
ROW = "HQ,192.0.2.11,axl,TCP,,pw 1 "
VALUES = {
    "cluster": "HQ",
    "address": "192.0.2.11",
    "username": "axl",
    "protocol": "TCP",
    "external_phone_number_mask": "",
    "password": "pw 1 ",
}
FILE = f"{HEADING}\r\n{ROW}\r\n"


def values(content):
    content = content.encode() if isinstance(content, str) else content
    return [entry.values for entry in parse.read_entries(content, is_yaml=False)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("named", ["", "sep={}\r\n", '"sep={}"\r\n', "\r\nSEP={}\n"])
def test_separator_is_known_by_the_heading_or_its_own_line(separator, quoted, named):
    lines = [line.split(",") for line in FILE.splitlines()]
    if quoted:
        lines = [[f'"{cell}"' for cell in line] for line in lines]
    text = "\r\n".join(separator.join(line) for line in lines)
    assert values(named.format(separator) + text) == [VALUES]


def test_separator_that_only_its_line_names_is_obeyed():
    assert values("sep=^\n" + FILE.replace(",", "^")) == [VALUES]


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + FILE.encode(),
        FILE.encode("utf-16"),
        codecs.BOM_UTF16_BE + FILE.encode("utf-16-be"),
        FILE.encode("utf-16-le"),
        FILE.encode("utf-16-be"),
        FILE.encode("utf-32"),
        FILE.replace(",", "\t").encode("utf-16"),
        FILE.replace("\r\n", "\r").encode(),
        FILE.replace("\r\n", "\n").encode(),
    ],
)
def test_encodings_and_line_ends_of_spreadsheets_are_read(content):
    assert values(content) == [VALUES]


@pytest.mark.parametrize(
    "heading",
    [
        HEADING.title(),
        HEADING.upper(),
        "Cluster,Address,User name,Protocol,External phone-number mask, Password ",
    ],
)
def test_headings_are_known_in_any_case_and_with_spaces(heading):
    assert values(f"{heading}\n{ROW}\n") == [VALUES]


@pytest.mark.parametrize(
    "text",
    [
        FILE + ",,,,,\r\n  ,,\t,,,\r\n\r\n",
        "\r\n,,,,,\r\n" + FILE,
        f"{HEADING},,\r\n{ROW},,\r\n",
        f"{HEADING}\r\n{ROW},,,,\r\n",
        f"{HEADING},,\r\n{ROW}\r\n",
        f"{HEADING.replace('username', ',username')}\n{ROW.replace('axl', ',axl')}\n",
    ],
)
def test_blank_rows_and_cells_without_a_heading_are_passed_over(text):
    assert values(text) == [VALUES]


def test_lines_are_those_of_the_file():
    text = f"sep=,\n\n{HEADING}\n\n{ROW}\n,,,,,\n{ROW}\n"
    entries = parse.read_entries(text.encode(), is_yaml=False)
    assert [entry.line for entry in entries] == [5, 7]


@pytest.mark.parametrize(
    ("content", "code", "line", "named"),
    [
        (b"PK\x03\x04xx", "workbook", "", ""),
        (b"\xd0\xcf\x11\xe0xx", "workbook", "", ""),
        (FILE.encode() + b"\xe9", "encoding", "Line 3: ", "UTF-8"),
        (FILE.encode("utf-16")[:-1], "encoding", "Line 2: ", "UTF-16"),
        (b"clustr,address\nx,y", "unknown_column", "Line 1: ", "'clustr'"),
        (b"\n\naddress\nx", "missing_column", "Line 3: ", "cluster"),
        (b"name,Name\nx,y\n", "repeated_column", "Line 1: ", "name"),
        (b" \n,,\n", "no_entries", "", ""),
        (FILE.encode() + b'HQ,"x"y', "syntax", "Line 3: ", "follows"),
        (FILE.encode() + b'"HQ,x\n\n\n', "syntax", "Line 3: ", "not closed"),
    ],
)
def test_a_file_that_cannot_be_read_names_the_cause(content, code, line, named):
    with pytest.raises(Unreadable) as caught:
        parse.read_entries(content, is_yaml=False)
    assert caught.value.code == code
    assert str(caught.value).startswith(line) and named in str(caught.value)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        (ROW.replace(",", ";"), "semicolons"),
        ("HQ", "1 cell "),
        (f"{ROW},x", "7 cells"),
        (f" {ROW[2:]}", "cluster"),
    ],
)
def test_a_row_that_cannot_be_read_names_the_cause(row, named):
    (entry,) = parse.read_entries(f"{HEADING}\n{row}\n".encode(), is_yaml=False)
    assert named in entry.problem
    assert "pw" not in entry.problem


def preview(text):
    return apply.preview_import(
        parse.read_entries(text.encode(), is_yaml=False)
    ).effects


@pytest.mark.django_db
def test_choices_and_cluster_names_are_known_in_any_case(cluster_factory):
    cluster_factory("HQ")
    (effect,) = preview(FILE.replace("HQ", " hq ").replace("TCP", "tls "))
    assert not effect.errors and effect.action == apply.ADD
    assert (effect.peer.cluster.name, effect.peer.protocol) == ("HQ", "TLS")
    (effect,) = preview("Name,Provisioning,Domain\nhq, Guided,x.example\n")
    assert not effect.errors and effect.action == apply.CHANGE
    assert {"domain", "provisioning"} <= set(effect.changed)


@pytest.mark.django_db
def test_the_exact_name_comes_first_and_no_other_is_guessed(cluster_factory):
    for name in ("HQ", "hq"):
        cluster_factory(name)
    (effect,) = preview(FILE.replace("HQ", "hq"))
    assert effect.peer.cluster == Cluster.objects.get(name="hq")
    (effect,) = preview(FILE.replace("HQ", "Hq"))
    assert effect.errors


@pytest.mark.django_db
def test_errors_use_the_headings_of_the_file(cluster_factory):
    cluster_factory("HQ")
    bad = FILE.replace("username", "User Name").replace("axl", "")
    (effect,) = preview(bad)
    assert [error.partition(":")[0] for error in effect.errors] == ["User Name"]
    (effect,) = preview("NAME,AXL user name,AXL-Password\nRome,axl,pw\n")
    assert [error.partition(":")[0] for error in effect.errors] == ["publisher_address"]
