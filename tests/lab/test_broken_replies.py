import http.client

import pytest

from .client import ask_node, center, query

SQL = "select first 2 userid, status from enduser order by userid"


@pytest.fixture
def node(imp):
    return imp.publisher


def test_any_status_can_be_had(node):
    node.set_fault("axl", "status:418")
    assert query(node, SQL).status == 418


@pytest.mark.parametrize("value", ["not-http", "bad-length", "endless-headers:1"])
def test_http_can_be_broken(node, value):
    node.set_fault("axl", value)
    with pytest.raises((http.client.HTTPException, ValueError, OSError)):
        reply = ask_node(node, "GET", "/axl/")
        int(reply.headers["Content-Length"])


def test_columns_can_come_backwards(node):
    straight = query(node, SQL)
    node.set_fault("axl", "reversed")
    backwards = query(node, SQL)
    assert backwards.rows() == straight.rows()
    assert [list(row) for row in backwards.rows()] == [["status", "userid"]] * 2


def test_fields_of_a_service_can_come_backwards(node):
    node.set_fault("control_center", "reversed")
    item = center(node, "soapGetServiceStatus").all("item")[0]
    assert item[0].tag.endswith("UpTime")
    assert item[-1].tag.endswith("ServiceName")
