"""What AXL does on the wire, told by a server that answers what the test wants."""

import asyncio
import ssl

import pytest

from tests.wire.server import CA_PEM, Server, certificate, fault, http, rows, soap
from wire import AxlClient, Backoff, Code, Secret, Trust, WireError, run_loop, sql

COUNT = rows("<count>1</count>")
UPDATED = soap(
    '<ns:executeSQLUpdateResponse xmlns:ns="http://www.cisco.com/AXL/API/8.5">'
    "<return><rowsUpdated>1</rowsUpdated></return></ns:executeSQLUpdateResponse>"
)
TOO_LARGE = fault(
    "Query request too large. Total rows matched: 5 rows. "
    "Suggestive Row Fetch: less than 3 rows",
    -1,
)
INSERT = sql.insert_query("peer_insert", "peers", {"password": Secret("open sesame")})
QUICK = Backoff(first=0.01, most=0.02)


def talk(server, work, **changes):
    async def main():
        async with server, AxlClient(server.node(**changes), backoff=QUICK) as axl:
            return await work(axl)

    return run_loop(main())


async def all_rows(axl, name="enterprise_nodes"):
    return [row async for row in axl.rows(sql.build_query(name))]


def test_zero_rows_are_no_rows():
    assert talk(Server(rows()), all_rows) == []


def test_row_is_read_by_name_in_any_order():
    server = Server(rows("<name>b</name><id>2</id>", "<ID>3</ID><n:name xmlns:n='x'/>"))
    assert talk(server, all_rows) == [
        {"name": "b", "id": "2"},
        {"id": "3", "name": None},
    ]


def test_undeclared_prefix_is_forgiven():
    server = Server(rows('<id xsi:nil="true"/><name>b</name>'))
    assert talk(server, all_rows) == [{"id": None, "name": "b"}]


def test_column_called_row_is_a_column():
    server = Server(rows("<row>1</row>"))
    assert talk(server, all_rows) == [{"row": "1"}]


def test_declared_single_byte_encoding_is_obeyed():
    body = rows("<name>M\u00fcller</name>").partition(b"\r\n\r\n")[2]
    body = body.decode().replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert talk(Server(http(200, body)), all_rows) == [{"name": "M\u00fcller"}]


def test_fault_with_status_200_is_a_fault():
    server = Server(fault("broken", -201).replace(b"HTTP/1.1 500", b"HTTP/1.1 200"))
    with pytest.raises(WireError, match="fault"):
        talk(server, all_rows)


def test_request_speaks_the_version_in_both_places():
    server = Server(COUNT)
    talk(server, AxlClient.probe, axl_version="7.1")
    assert b'SOAPAction: "CUCM:DB ver=7.1 executeSQLQuery"' in server.requests[0]
    assert b'="http://www.cisco.com/AXL/API/7.1"><sql>select' in server.requests[0]
    assert b"Expect:" not in server.requests[0]


def test_one_connection_serves_a_conversation():
    async def thrice(axl):
        return [await axl.probe() for _ in range(3)]

    server = Server(COUNT)
    assert talk(server, thrice) == [1, 1, 1]
    assert server.connections == 1


def test_connection_that_the_node_closed_is_replaced():
    async def hang_up(request, writer):
        writer.transport.abort()

    async def twice(axl):
        return [await axl.probe(), await axl.probe()]

    server = Server(COUNT, hang_up, COUNT)
    assert talk(server, twice) == [1, 1]
    assert server.connections == 2


def test_session_cookie_replaces_the_password():
    answer = COUNT.replace(
        b"\r\n\r\n", b"\r\nSet-Cookie: JSESSIONIDSSO=ABC; Domain=x\r\n\r\n", 1
    )

    async def twice(axl):
        await axl.probe()
        return await axl.probe()

    server = Server(answer)
    talk(server, twice)
    assert b"Authorization: Basic" in server.requests[0]
    assert b"Authorization" not in server.requests[1]
    assert b"Cookie: JSESSIONIDSSO=ABC" in server.requests[1]


def test_cookie_cannot_smuggle_a_header():
    answer = COUNT.replace(
        b"\r\n\r\n", b"\r\nSet-Cookie: JSESSIONIDSSO=A B\x0bX: y\r\n\r\n", 1
    )

    async def twice(axl):
        await axl.probe()
        return await axl.probe()

    server = Server(answer, COUNT)
    with pytest.raises(WireError, match="protocol"):
        talk(server, twice)


def test_pages_shrink_until_they_fit():
    page = rows("<id>1</id>")
    server = Server(TOO_LARGE, TOO_LARGE, page, rows("<id>2</id>"), rows())
    assert talk(server, lambda axl: all_rows(axl, "users")) == [
        {"id": "1"},
        {"id": "2"},
    ]
    assert b"select skip 0 first 2" in server.requests[1]
    assert b"select skip 1 first 1" in server.requests[3]


def test_query_without_an_order_is_not_paged():
    with pytest.raises(WireError) as caught:
        talk(Server(TOO_LARGE), all_rows)
    assert caught.value.code is Code.TOO_LARGE
    assert caught.value.detail == "5 rows"


def test_single_row_that_is_too_large_ends():
    with pytest.raises(WireError) as caught:
        talk(Server(TOO_LARGE), lambda axl: all_rows(axl, "users"))
    assert caught.value.code is Code.TOO_LARGE


def test_rows_given_before_a_cut_are_followed_by_the_error():
    body = rows(*["<id>1</id>"] * 20_000)
    seen = []

    async def cut(request, writer):
        writer.write(body[:300_000])
        await writer.drain()
        writer.transport.abort()

    async def read(axl):
        async for row in axl.rows(sql.build_query("users")):
            seen.append(row)

    with pytest.raises(WireError) as caught:
        talk(Server(cut), read)
    assert caught.value.code is Code.CLOSED
    assert 0 < len(seen) < 20_000


def test_reader_that_stops_early_leaves_nothing_open():
    async def first(axl):
        stream = axl.rows(sql.build_query("users"))
        row = await anext(stream)
        await stream.aclose()
        return row, await axl.probe()

    server = Server(rows("<id>1</id>", "<id>2</id>"), COUNT)
    assert talk(server, first) == ({"id": "1"}, 1)


def test_write_is_preceded_by_a_read():
    server = Server(COUNT, UPDATED)
    assert talk(server, lambda axl: axl.write(INSERT)) == 1
    assert b"executeSQLQuery" in server.requests[0]
    assert b"executeSQLUpdate" in server.requests[1]
    assert server.connections == 2


def test_write_is_sent_once_whatever_happens():
    async def hang_up(request, writer):
        writer.transport.abort()

    server = Server(COUNT, hang_up)
    with pytest.raises(WireError) as caught:
        talk(server, lambda axl: axl.write(INSERT))
    assert caught.value.outcome_unknown
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "refusal", [http(503, b""), http(503, b"<html></html>", kind="text/html")]
)
def test_write_that_a_full_queue_refuses_is_sent_again(refusal):
    server = Server(COUNT, refusal, refusal, UPDATED)
    assert talk(server, lambda axl: axl.write(INSERT)) == 1
    assert len(server.requests) == 4


def test_fault_that_quotes_the_statement_does_not_tell_the_password():
    server = Server(COUNT, fault("near values ('open sesame')", -201))
    with pytest.raises(WireError) as caught:
        talk(server, lambda axl: axl.write(INSERT))
    assert caught.value.detail == "-201 near values (***)"
    assert "open" not in f"{caught.value} {caught.value.message}"


def test_fault_that_is_cut_in_the_password_does_not_tell_its_beginning():
    server = Server(COUNT, fault("x" * 190 + " 'open sesame'", -201))
    with pytest.raises(WireError) as caught:
        talk(server, lambda axl: axl.write(INSERT))
    assert caught.value.detail.endswith("x ***")
    assert "'o" not in f"{caught.value} {caught.value.message}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (fault("no such table", -206), "-206 no such table"),
        (http(418, b""), "418"),
        (http(599, b"<html>Supported versions are 3.0</html>"), "3.0"),
    ],
)
def test_what_the_node_itself_said_is_in_the_sentence(answer, said):
    with pytest.raises(WireError) as caught:
        talk(Server(answer), lambda axl: axl.version())
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", Code.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, Code.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Code.PROTOCOL),
        (http(418, b""), Code.HTTP),
        (http(413, b""), Code.TOO_LARGE),
        (http(429, b""), Code.THROTTLED),
        (http(302, b"", "Location: https://evil.example/"), Code.REDIRECT),
        (http(599, b"<html>Supported versions are none</html>"), Code.VERSION),
        (http(200, b"x", "Content-Encoding: br"), Code.PROTOCOL),
        (http(200, b"x" * 20, "Content-Encoding: gzip"), Code.PROTOCOL),
        (http(200, b"<a/>"), Code.NOT_SOAP),
        (soap(""), Code.NOT_SOAP),
        (soap("<ns:a xmlns:ns='x'/>"), Code.NOT_SOAP),
        (soap("<a><b></a></b>"), Code.NOT_SOAP),
        (rows("<id>&undefined;</id>"), Code.NOT_SOAP),
        (http(500, b"<html>oops</html>"), Code.UNAVAILABLE),
        (soap("<x/>", 500), Code.HTTP),
        (rows("<count>many</count>"), Code.NOT_SOAP),
        (fault("No method found for processing request"), Code.NOT_OFFERED),
    ],
)
def test_odd_answer_has_its_code(answer, code):
    async def once(request, writer):
        writer.write(answer)
        await writer.drain()
        writer.close()

    with pytest.raises(WireError) as caught:
        talk(Server(once), AxlClient.probe)
    assert caught.value.code is code


def test_seven_x_fault_is_read():
    detail = (
        '<detail><axl:error xmlns:axl="http://www.cisco.com/AXL/7.0" sequence="1">'
        "<code>-239</code><message><![CDATA[duplicate]]></message></axl:error></detail>"
    )
    answer = soap(
        "<soapenv:Fault><faultcode>soapenv:Client</faultcode>"
        f"<faultstring>x</faultstring>{detail}</soapenv:Fault>",
        500,
    )
    with pytest.raises(WireError) as caught:
        talk(Server(answer), AxlClient.probe)
    assert caught.value.detail == "-239 duplicate"


def test_authority_vouches_for_a_name_at_an_address():
    assert talk(Server(COUNT), AxlClient.probe, trust=Trust(ca_pem=CA_PEM)) == 1


def test_authority_does_not_vouch_for_another_name():
    changes = {"trust": Trust(ca_pem=CA_PEM), "name": "other.test"}
    with pytest.raises(WireError) as caught:
        talk(Server(COUNT), AxlClient.probe, **changes)
    assert caught.value.code is Code.CERTIFICATE_INVALID


def test_settings_of_the_environment_are_not_read(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    assert talk(Server(COUNT), AxlClient.probe, trust=Trust(ca_pem=CA_PEM)) == 1


def test_environment_cannot_add_an_authority(monkeypatch, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text(CA_PEM)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    other = ssl.DER_cert_to_PEM_cert(certificate()[1])
    with pytest.raises(WireError) as caught:
        talk(Server(COUNT), AxlClient.probe, trust=Trust(ca_pem=other))
    assert caught.value.code is Code.CERTIFICATE_INVALID


def test_one_write_at_a_time_to_a_publisher():
    running, most = 0, 0

    async def slow(request, writer):
        nonlocal running, most
        if b"executeSQLUpdate" not in request:
            writer.write(COUNT)
            return
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        writer.write(UPDATED)

    async def main():
        async with Server(slow) as server:

            async def one():
                async with AxlClient(server.node()) as axl:
                    return await axl.write(INSERT)

            return await asyncio.gather(*(one() for _ in range(5)))

    assert run_loop(main()) == [1] * 5
    assert most == 1


def test_client_never_changes_the_address_it_was_given():
    async def version(axl):
        await axl.probe()
        return axl.node.axl_version, axl.axl_version

    server = Server(http(599, b"Supported axl versions are 14.0 and 15.0"), COUNT)
    assert talk(server, version, axl_version="8.0") == ("8.0", "15.0")
