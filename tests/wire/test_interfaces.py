"""The remedy fits the interface and the cause: a table of what a node may answer."""

import re
from pathlib import Path

import pytest

from tests.wire.server import Server, fault, http, soap
from wire import (
    EXPLANATIONS,
    AxlClient,
    Backoff,
    Code,
    ControlCenterClient,
    Unlimited,
    WireError,
    run_loop,
    sql,
)
from wire.interfaces import REMEDIES, Interface, remedy_for

DOCUMENT = Path("docs/errors.md").read_text()
QUICK = Backoff(first=0.01, most=0.02, tries=2)
PAGE = (
    b"<html><head><title>Error report</title></head><body>"
    b"<h1>HTTP Status %d</h1></body></html>"
)
CUT = (
    b'<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/'
    b'envelope/"><e:Body><r><return><row><count>12</count></row><row><cou'
)
FORM = (
    b"<html><body onload='document.forms[0].submit()'><form method='post' action="
    b"'https://idp.test/'><input name='SAMLRequest' value='x'/></form></body></html>"
)


def tomcat(status: int) -> bytes:
    return http(status, PAGE % status, kind="text/html;charset=utf-8")


def moved(target: str, status: int = 302) -> bytes:
    return http(status, b"", f"Location: {target}")


# What a node answers, and the code of it on AXL and on the Control Center.
ANSWERS = [
    (tomcat(401), Code.UNAUTHORIZED, Code.UNAUTHORIZED),
    (tomcat(403), Code.FORBIDDEN, Code.FORBIDDEN),
    (tomcat(404), Code.AXL_OFF, Code.NOT_OFFERED),
    (tomcat(400), Code.HTTP, Code.HTTP),
    (tomcat(429), Code.THROTTLED, Code.THROTTLED),
    (tomcat(500), Code.UNAVAILABLE, Code.UNAVAILABLE),
    (tomcat(502), Code.UNAVAILABLE, Code.UNAVAILABLE),
    (tomcat(503), Code.UNAVAILABLE, Code.UNAVAILABLE),
    (tomcat(504), Code.UNAVAILABLE, Code.UNAVAILABLE),
    (http(500, b"", kind=""), Code.UNAVAILABLE, Code.UNAVAILABLE),
    (http(503, b"queue full", kind="text/plain"), Code.THROTTLED, Code.THROTTLED),
    (tomcat(200), Code.NOT_SOAP, Code.NOT_SOAP),
    (http(200, CUT), Code.INCOMPLETE, Code.INCOMPLETE),
    (http(200, CUT[:40]), Code.INCOMPLETE, Code.INCOMPLETE),
    (http(500, CUT), Code.INCOMPLETE, Code.INCOMPLETE),
    (fault("broken", -201), Code.FAULT, Code.FAULT),
    (moved("https://portal.test/axl/"), Code.REDIRECT, Code.REDIRECT),
    (moved(""), Code.REDIRECT, Code.REDIRECT),
    (moved("https://[broken"), Code.REDIRECT, Code.REDIRECT),
    *(
        (moved(target), Code.SINGLE_SIGN_ON, Code.SINGLE_SIGN_ON)
        for target in (
            "https://idp.test/adfs/ls/?SAMLRequest=fZJ",
            "https://node.test:8443/ssosp/saml/login",
            "https://idp.test/oauth2/authorize?client_id=x",
            "https://login.test/x/saml2",
        )
    ),
    (http(200, FORM, kind="text/html"), Code.SINGLE_SIGN_ON, Code.SINGLE_SIGN_ON),
]


async def ask_interface(interface, node):
    if interface is Interface.AXL:
        async with AxlClient(node, backoff=QUICK) as axl:
            return await axl.probe(deadline=20)
    client = ControlCenterClient(node, limiter=Unlimited(), backoff=QUICK)
    async with client as center:
        return await center.statuses(deadline=20)


def failure(interface, answer):
    async def main():
        async with Server(answer) as server:
            return await ask_interface(interface, server.node())

    with pytest.raises(WireError) as caught:
        run_loop(main())
    return caught.value


@pytest.mark.parametrize(("answer", "axl", "center"), ANSWERS)
def test_an_answer_has_its_code_and_the_remedy_of_its_interface(answer, axl, center):
    for interface, code in (
        (Interface.AXL, axl),
        (Interface.CONTROL_CENTER, center),
    ):
        error = failure(interface, answer)
        assert error.code is code
        assert error.remedy == remedy_for(interface, code)


def test_a_missing_role_is_that_of_the_interface():
    axl = failure(Interface.AXL, tomcat(403)).remedy
    center = failure(Interface.CONTROL_CENTER, tomcat(403)).remedy
    assert "Standard AXL API Access" in axl
    assert "Standard CCM Admin Users" in axl
    assert "Standard CCM Server Monitoring" in center
    assert "AXL" not in center


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_page_of_tomcat_never_questions_the_address(status):
    for interface in (Interface.AXL, Interface.CONTROL_CENTER):
        error = failure(interface, tomcat(status))
        assert "Tomcat" in error.remedy
        assert "address" not in error.remedy
        assert error.retryable


def test_a_redirection_names_its_target_but_nothing_behind_it():
    error = failure(
        Interface.AXL, moved("https://me:secret@idp.test/saml?SAMLRequest=private")
    )
    assert "302" in error.detail and error.detail.endswith(" idp.test")


@pytest.mark.parametrize("interface", [Interface.SIP, Interface.SIP_TLS])
@pytest.mark.parametrize("code", Code)
def test_sip_never_sends_its_reader_to_the_web_server(interface, code):
    web_only = {
        Code.AXL_OFF,
        Code.CATALOGUE,
        Code.FAULT,
        Code.HTTP,
        Code.INCOMPLETE,
        Code.NOT_SOAP,
        Code.UNAVAILABLE,
    }
    if code not in web_only:
        assert "Tomcat" not in remedy_for(interface, code)
        assert "AXL" not in remedy_for(interface, code)


def test_a_remedy_of_its_own_is_kept():
    error = WireError(Code.THROTTLED, "The console waits.", remedy="Wait.")
    assert error.remedy == "Wait."
    assert failure(Interface.AXL, fault("broken", -1)).remedy


@pytest.mark.parametrize("interface", Interface)
def test_every_remedy_of_an_interface_is_in_the_documentation(interface):
    for code, remedy in REMEDIES[interface].items():
        assert remedy != EXPLANATIONS[code].remedy
        assert f"| {interface} | `{code}` | {remedy} |" in DOCUMENT


def test_the_documentation_has_no_other_remedy_by_interface():
    rows = re.findall(r"^\| ([\w ]+) \| `(\w+)` \|", DOCUMENT, re.M)
    known = [(str(i), str(c)) for i, codes in REMEDIES.items() for c in codes]
    assert rows == known


def test_a_stale_login_that_is_forbidden_is_tried_once_with_the_password():
    answer = soap(
        "<r><return><row><count>1</count></row></return></r>",
        200,
        "Set-Cookie: JSESSIONIDSSO=OLD",
    )

    async def main(server):
        async with server, AxlClient(server.node()) as axl:
            return [await axl.probe(), await axl.probe()]

    server = Server(answer, tomcat(403), answer)
    assert run_loop(main(server)) == [1, 1]
    assert [b"Authorization: Basic" in x for x in server.requests] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("answer", [tomcat(403), tomcat(401), moved("/ssosp/login")])
def test_a_refusal_of_the_password_itself_is_not_repeated(answer):
    async def main(server):
        async with server, AxlClient(server.node()) as axl:
            await axl.probe()

    server = Server(answer)
    with pytest.raises(WireError):
        run_loop(main(server))
    assert len(server.requests) == 1


def test_rows_that_are_cut_off_are_an_error_not_fewer_rows():
    async def main():
        async with Server(http(200, CUT)) as server, AxlClient(server.node()) as axl:
            return [row async for row in axl.rows(sql.build_query("enterprise_nodes"))]

    with pytest.raises(WireError) as caught:
        run_loop(main())
    assert caught.value.code is Code.INCOMPLETE
    assert "ask for less" in caught.value.remedy


@pytest.mark.parametrize("interface", [Interface.AXL, Interface.CONTROL_CENTER])
def test_an_empty_answer_does_not_question_the_address(interface):
    error = failure(interface, http(200, b""))
    assert error.code is Code.NOT_SOAP
    assert "address" not in error.remedy
