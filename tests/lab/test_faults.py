import email.utils
import hashlib
import http.client
import ssl
import time

import pytest
from cryptography import x509

from lab import faults

from .client import ask_node, axl, center, connect, context, query, update

SQL = "select first 3 userid from enduser order by userid"
HARMLESS = "update enduser set status = 1 where userid = 'nobody'"


@pytest.fixture
def node(imp):
    return imp.publisher


@pytest.mark.parametrize("status", [401, 403, 404, 503])
def test_an_html_page_can_take_the_place_of_soap(node, status):
    node.set_fault("axl", f"html-{status}")
    reply = query(node, SQL)
    assert (reply.status, reply.text[:9]) == (status, "<!DOCTYPE")


def test_a_login_page_can_come_with_status_200(node):
    node.set_fault("axl", "html-200")
    assert "sign in" in query(node, SQL).text


def test_a_redirect_leads_elsewhere(node):
    node.set_fault("axl", "redirect")
    reply = query(node, SQL)
    assert reply.status == 307
    assert reply.headers["Location"] == "https://elsewhere.lab.example/axl/"


@pytest.mark.parametrize("value", ["stall", "stall-body", "drip"])
def test_a_client_can_be_kept_waiting(node, value):
    node.set_fault("axl", value)
    with pytest.raises(TimeoutError):
        query(node, SQL, timeout=0.4) if value != "drip" else _impatient(node)


def _impatient(node):
    end = time.monotonic() + 0.4
    connection = connect(node)
    connection.request("GET", "/axl/", headers={})
    while time.monotonic() < end:
        assert connection.sock.recv(1)
    connection.close()
    raise TimeoutError


@pytest.mark.parametrize("value", ["hang-up", "reset"])
def test_a_connection_can_be_cut_before_the_body(node, value):
    node.set_fault("axl", value)
    with pytest.raises((http.client.HTTPException, OSError)):
        query(node, SQL)


def test_a_connection_can_be_cut_in_the_headers(node):
    node.set_fault("axl", "cut-headers")
    connection = connect(node)
    connection.request("GET", "/axl/")
    received = b"".join(iter(lambda: connection.sock.recv(4096), b""))
    connection.close()
    assert received.startswith(b"HTTP/1.1 401") and b"\r\n\r\n" not in received


def test_a_connection_can_be_cut_in_the_body(node):
    node.set_fault("axl", "cut-body")
    with pytest.raises(http.client.IncompleteRead):
        query(node, SQL)


def test_a_write_before_a_cut_has_been_done(imp):
    userid = imp.users()[0]
    imp.publisher.set_fault("axl", "hang-up")
    sql = f"update enduser set status = 77 where userid = '{userid}'"
    with pytest.raises((http.client.HTTPException, OSError)):
        update(imp.publisher, sql)
    row = imp.sql(f"select status from enduser where userid = '{userid}'")[0]
    assert row["status"] == 77


def test_a_bomb_is_small_on_the_wire(node):
    node.set_fault("axl", "bomb:20")
    reply = query(node, SQL)
    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(reply.body) < 100_000


def test_the_namespace_can_be_wrong(node):
    node.set_fault("axl", "wrong-namespace")
    assert "www.cisco.com" not in query(node, SQL).text


def test_latin_1_can_pose_as_utf_8(node):
    node.set_fault("axl", "latin1")
    with pytest.raises(UnicodeDecodeError):
        query(node, SQL).body.decode()


def test_control_characters_can_appear(node):
    node.set_fault("axl", "control-characters")
    assert b"\x08\x01</" in query(node, SQL).body


def test_entities_can_be_declared(node):
    node.set_fault("axl", "entities")
    body = query(node, SQL).body
    assert b"<!DOCTYPE bomb" in body and b"&e9;" in body


def test_xml_can_end_too_soon(node):
    node.set_fault("axl", "truncated-xml")
    assert "</soapenv:Envelope>" not in query(node, SQL).text


def test_the_reply_can_be_in_the_old_namespace(node):
    node.set_fault("axl", "old-namespace")
    assert "cisco.com/AXL/12.5" in query(node, SQL).text


def test_a_throttle_has_its_words(node):
    node.set_fault("axl", "throttle")
    assert "Exceeded allowed rate" in query(node, SQL).one("faultstring")


def test_memory_can_be_used_up_a_number_of_times(node):
    node.set_fault("axl", "memory*2")
    statuses = [query(node, SQL).status for _ in range(3)]
    assert statuses == [500, 500, 200]


def test_only_writes_get_503(node):
    node.set_fault("axl", "write-503*1")
    assert query(node, SQL).status == 200
    assert [update(node, HARMLESS).status for _ in range(2)] == [503, 200]


def test_a_lost_role_gets_403(node):
    node.set_fault("axl", "no-role")
    assert query(node, SQL).status == 403


def test_a_read_only_role_gets_401_on_a_write(node):
    node.set_fault("axl", "read-only")
    assert query(node, SQL).status == 200
    assert update(node, HARMLESS).status == 401


def test_axl_can_be_off(node):
    node.set_fault("axl", "off")
    assert query(node, SQL).status == 404


def test_only_who_sends_a_cookie_meets_the_stale_session(node):
    cookie = query(node, SQL).headers["Set-Cookie"].split(";")[0]
    node.set_fault("axl", "stale-session")
    assert query(node, SQL, headers={"Cookie": cookie}).status == 404
    assert query(node, SQL).status == 200


def test_the_version_call_can_be_missing(node):
    node.set_fault("axl", "no-version")
    assert axl(node, "getCCMVersion").status == 500


def test_any_informix_error_can_be_had(node):
    node.set_fault("axl", "error:-244")
    assert query(node, SQL).one("axlcode") == "-244"


def test_too_large_tells_what_fits(node):
    node.set_fault("axl", "too-large:4")
    text = query(node, "select userid from enduser").one("faultstring")
    count = node.cluster.local_users
    assert f"Total rows matched: {count} rows" in text
    assert "Suggestive Row Fetch: less than 4 rows" in text
    assert len(query(node, SQL).rows()) == 3


def test_a_node_can_be_down_and_come_back(node):
    node.set_fault("node", "down")
    with pytest.raises(ConnectionRefusedError):
        query(node, SQL)
    node.clear_faults()
    assert query(node, SQL).status == 200


def test_a_changed_certificate_has_another_fingerprint(node):
    before = node.fingerprint
    assert _presented(node) == before
    node.set_fault("tls", "changed")
    assert _presented(node) == node.fingerprint != before
    node.clear_faults("tls")
    assert _presented(node) == before


def _presented(node):
    connection = connect(node)
    connection.connect()
    certificate = connection.sock.getpeercert(binary_form=True)
    connection.close()
    return hashlib.sha256(certificate).hexdigest()


def test_a_renewed_certificate_stays(cup8):
    node = cup8.subscribers[0]
    before = node.fingerprint
    assert node.renew_certificate() == _presented(node) != before


def test_a_certificate_can_be_expired(node):
    node.set_fault("tls", "expired")
    strict = ssl.create_default_context(cafile=node.presented_path)
    strict.check_hostname = False
    connection = http.client.HTTPSConnection(node.address, 8443, context=strict)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        connection.connect()


def test_tls_can_be_stalled(node):
    node.set_fault("tls", "stall")
    with pytest.raises(TimeoutError):
        query(node, SQL, timeout=0.3)


@pytest.mark.parametrize("value", ["reset", "plain"])
def test_the_handshake_can_fail(node, value):
    node.set_fault("tls", value)
    with pytest.raises(OSError):
        query(node, SQL)


def test_legacy_tls_refuses_a_modern_client(node):
    node.set_fault("tls", "legacy")
    with pytest.raises(ssl.SSLError, match="alert"):
        query(node, SQL)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_legacy_tls_is_tls_1_0_with_a_small_key(node):
    node.set_fault("tls", "legacy")
    old = context()
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    connection = http.client.HTTPSConnection(node.address, 8443, context=old)
    connection.connect()
    assert connection.sock.version() == "TLSv1"
    assert connection.sock.cipher()[0] == "AES128-SHA"
    der = connection.sock.getpeercert(binary_form=True)
    certificate = x509.load_der_x509_certificate(der)
    assert certificate.public_key().key_size == 1024
    connection.close()


def test_latency_delays_every_exchange(node):
    node.set_fault("latency", "40")
    start = time.monotonic()
    query(node, SQL)
    assert time.monotonic() - start > 0.11


def test_the_clock_can_be_off(node):
    node.set_fault("clock", "-7200")
    date = query(node, SQL).headers["Date"]
    sent = email.utils.parsedate_to_datetime(date).timestamp()
    assert 7190 < time.time() - sent < 7210


def test_the_control_center_has_the_same_faults(node):
    node.set_fault("control_center", "html-503")
    assert center(node, "soapGetServiceStatus").status == 503
    assert query(node, SQL).status == 200


def test_the_control_center_can_be_off(node):
    node.set_fault("control_center", "off")
    assert center(node, "soapGetServiceStatus").status == 404


def test_a_fault_on_a_cluster_reaches_all_its_nodes(imp, cup8):
    imp.set_fault("axl", "off")
    assert [query(n, SQL).status for n in imp.nodes] == [404, 404]
    assert query(cup8.publisher, SQL).status == 200


def test_a_fault_on_the_lab_reaches_every_cluster(lab):
    lab.set_fault("axl", "off")
    assert {query(c.publisher, SQL).status for c in lab.clusters} == {404}


def test_wrong_data_on_the_lab_is_on_every_cluster(lab):
    sql = "select count(*) from enduser where primarynodeid is null"
    lab.set_fault("users", "unassigned:1")
    assert [c.sql(sql)[0]["count"] for c in lab.clusters] == [1, 1, 1]
    lab.clear_faults("users")
    assert [c.sql(sql)[0]["count"] for c in lab.clusters] == [0, 0, 0]


def test_a_fault_on_a_node_goes_before_that_of_its_cluster(imp):
    imp.set_fault("axl", "off")
    imp.publisher.set_fault("axl", "html-503")
    assert query(imp.publisher, SQL).status == 503


def test_one_sided_takes_the_entries_back_and_gives_them_again(imp, cup8):
    imp.peer_with(cup8)
    imp.set_fault("peers", "one-sided")
    assert imp.peers() and not cup8.peers()
    imp.clear_faults()
    assert cup8.peer_to(imp).address == imp.publisher.address


def test_duplicate_users_come_and_go(imp, lab):
    before = set(imp.users())
    imp.set_fault("users", "duplicate:2")
    doubles = set(imp.users()) - before
    others = {u for c in lab.clusters if c is not imp for u in c.users()}
    assert len(doubles) == 2 and doubles <= others
    imp.clear_faults()
    assert set(imp.users()) == before


def test_duplicate_uris_come_and_go(imp):
    sql = "select userid, directoryuri from enduser order by userid"
    before = imp.sql(sql)
    imp.set_fault("users", "duplicate-uri:2")
    changed = [r for r in imp.sql(sql) if r not in before]
    assert len(changed) == 2 and all(r["directoryuri"].isupper() for r in changed)
    imp.clear_faults()
    assert imp.sql(sql) == before


def test_users_can_be_unassigned(imp):
    sql = "select count(*) from enduser where primarynodeid is null"
    imp.set_fault("users", "unassigned:3")
    assert imp.sql(sql)[0]["count"] == 3
    imp.clear_faults()
    assert imp.sql(sql)[0]["count"] == 0


def test_a_subscriber_can_fall_behind(imp):
    sql = "select count(*) from enduser where tkuserprofile = 1"
    imp.set_fault("replication", "stale")
    added = imp.add_users(1)
    behind = int(query(imp.subscribers[0], sql).rows()[0]["count"])
    assert int(query(imp.publisher, sql).rows()[0]["count"]) == behind + 1
    imp.clear_faults()
    assert int(query(imp.subscribers[0], sql).rows()[0]["count"]) == behind + 1
    imp.remove_users(*added)


@pytest.mark.parametrize(("area", "value"), [("axl", "foo"), ("moon", "full")])
def test_an_unknown_fault_is_refused_with_what_is_known(imp, area, value):
    with pytest.raises(faults.UnknownFault, match="stall|areas|there are"):
        imp.set_fault(area, value)


def test_every_fault_has_a_summary():
    assert all(f.summary for f in faults.REGISTRY.values())
    assert len(faults.REGISTRY) > 70


def test_a_client_may_keep_the_connection(node):
    connection = connect(node)
    for _ in range(3):
        connection.request("GET", "/")
        assert node.name in connection.getresponse().read().decode()
    connection.close()


def test_chunked_requests_are_understood(node):
    connection = connect(node)
    connection.request("POST", "/nowhere", iter([b"a", b"b"]), encode_chunked=True)
    assert connection.getresponse().status == 404
    connection.close()


def test_nonsense_gets_400(node):
    assert ask_node(node, "GET", "/", headers={"Content-Length": "x"}).status == 400
