"""Every code of the wire is produced by the lab, and told in docs/errors.md."""

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from wire import (
    AxlClient,
    Backoff,
    Code,
    ControlCenterClient,
    NodeAddress,
    PeerTable,
    PeerTableClient,
    Policy,
    Trust,
    Unlimited,
    WireError,
    fetch_certificate,
    platforms,
    run_loop,
)

DOCUMENT = Path("docs/errors.md").read_text()
QUICK = Backoff(first=0.1, most=0.2, tries=3)
UNSHARE, IP = shutil.which("unshare"), shutil.which("ip")


async def probe(node: NodeAddress, deadline: float = 20) -> object:
    async with AxlClient(node, backoff=QUICK) as axl:
        return await axl.probe(deadline=deadline)


async def statuses(node: NodeAddress) -> object:
    client = ControlCenterClient(node, limiter=Unlimited(), backoff=QUICK)
    async with client as center:
        return await center.statuses(deadline=20)


async def verify_another_table(node: NodeAddress) -> None:
    table = PeerTable.from_dict(platforms.profile_of("cup8").peer_table)
    async with AxlClient(node) as axl:
        await PeerTableClient(axl, replace(table, table="peers")).verify()


async def probe_by_authority(node: NodeAddress) -> object:
    seen = await fetch_certificate(node.address, node.axl_port, node.policy)
    return await probe(replace(node, trust=Trust(ca_pem=seen.pem)))


@dataclass(frozen=True)
class Way:
    """How the lab brings about a code: a fault, a wrong setting, or both."""

    fault: tuple[str, str] | None = None
    changes: tuple[tuple[str, Any], ...] = ()
    call: Callable[[NodeAddress], Awaitable[object]] = probe


def wrong_codes(**changes: Any) -> Way:
    return Way(changes=tuple(changes.items()))


WAYS = {
    Code.ADDRESS: wrong_codes(address="cup1.lab.example:8443"),
    Code.UNRESOLVABLE: wrong_codes(address="nowhere.lab.example"),
    Code.POLICY: wrong_codes(policy=Policy()),
    Code.REFUSED: Way(("node", "down")),
    Code.TIMEOUT: Way(("axl", "stall"), call=partial(probe, deadline=1)),
    Code.CLOSED: Way(("axl", "cut-body")),
    Code.TLS: Way(("tls", "legacy")),
    Code.CERTIFICATE_UNKNOWN: wrong_codes(trust=Trust()),
    Code.CERTIFICATE_CHANGED: Way(("tls", "changed")),
    Code.CERTIFICATE_INVALID: Way(("tls", "expired"), call=probe_by_authority),
    Code.UNAUTHORIZED: wrong_codes(username="nobody"),
    Code.FORBIDDEN: Way(("axl", "no-role")),
    Code.AXL_OFF: Way(("axl", "off")),
    Code.NOT_OFFERED: Way(("control_center", "off"), call=statuses),
    Code.THROTTLED: Way(("axl", "throttle")),
    Code.TOO_LARGE: Way(("axl", "bomb:20")),
    Code.VERSION: Way(("axl", "status:599")),
    Code.REDIRECT: Way(("axl", "redirect")),
    Code.SINGLE_SIGN_ON: Way(("axl", "redirect://idp.lab.example/saml2/sso")),
    Code.UNAVAILABLE: Way(("axl", "html-503")),
    Code.HTTP: Way(("axl", "status:418")),
    Code.PROTOCOL: Way(("axl", "not-http")),
    Code.NOT_SOAP: Way(("axl", "html-200")),
    Code.INCOMPLETE: Way(("axl", "truncated-xml")),
    Code.FAULT: Way(("axl", "error:-201")),
    Code.CATALOGUE: Way(call=verify_another_table),
    Code.VALUE: wrong_codes(username="axl:admin"),
}
# This one needs a network of its own: see test_node_without_a_route_is_unreachable.
IN_THE_SHARED_LAB = [code for code in Code if code is not Code.UNREACHABLE]


@pytest.mark.parametrize("code", IN_THE_SHARED_LAB)
def test_every_code_is_produced_by_the_lab(publisher, cluster, code):
    way = WAYS[code]
    if way.fault:
        cluster.set_fault(*way.fault)
    with pytest.raises(WireError) as caught:
        run_loop(_await(way.call(replace(publisher, **dict(way.changes)))))
    assert caught.value.code is code
    assert publisher.password.reveal() not in f"{caught.value.__dict__}"


async def _await(work: Awaitable[object]) -> object:
    return await work


@pytest.mark.parametrize("code", Code)
def test_every_code_has_its_cause_and_remedy_in_the_documentation(code):
    section = re.search(rf"^## `{code}`\n(.*?)(?=^## |\Z)", DOCUMENT, re.M | re.S)
    assert section, f"docs/errors.md does not tell of {code}"
    cause, mark, remedy = section[1].partition("**Remedy:**")
    assert mark
    assert len(cause.split()) > 4
    assert len(remedy.split()) > 3


def test_documentation_tells_of_no_other_code():
    assert set(re.findall(r"^## `(\w+)`", DOCUMENT, re.M)) == set(Code)


@pytest.mark.parametrize("fault", ["not-http", "bad-length", "endless-headers"])
def test_broken_http_breaks_the_protocol(publisher, cluster, fault):
    cluster.set_fault("axl", fault)
    with pytest.raises(WireError) as caught:
        run_loop(probe(publisher))
    assert caught.value.code is Code.PROTOCOL


@pytest.mark.parametrize("area", ["axl", "control_center"])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (201, Code.HTTP),
        (204, Code.HTTP),
        (302, Code.REDIRECT),
        (400, Code.HTTP),
        (418, Code.HTTP),
        (502, Code.UNAVAILABLE),
    ],
)
def test_unexpected_status_is_given_by_its_number(
    publisher, cluster, area, status, code
):
    cluster.set_fault(area, f"status:{status}")
    with pytest.raises(WireError) as caught:
        run_loop(probe(publisher) if area == "axl" else statuses(publisher))
    assert caught.value.code is code
    assert caught.value.detail == f"HTTP {status}"


def test_node_without_a_route_is_unreachable():
    """Only in a network namespace of its own can a test take a route away."""
    if not (UNSHARE and IP):
        pytest.skip("unshare and ip are needed for a network without routes")
    allowed = subprocess.run([UNSHARE, "-rn", "true"], capture_output=True)
    if allowed.returncode:
        pytest.skip("this user may not make a network namespace")
    command = [UNSHARE, "-rn", sys.executable, "-m", __name__]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["1", "unreachable", "unreachable"], done.stderr


def lose_routes() -> None:
    """Probe a node of a lab before and after its route is gone; print the ends."""
    from lab import Lab
    from tests.wire.conftest import address_of

    def ip(*words: str) -> None:
        subprocess.run([IP or "ip", *words], check=True)

    ip("link", "set", "lo", "up")
    with Lab(clusters=1, nodes=1, users=(1,), network="auto", sip=False) as lab:
        node = address_of(lab)
        print(asyncio.run(probe(node)))
        ip("route", "add", "unreachable", f"{node.address}/32", "table", "local")
        print(_code(node))
        ip("link", "set", "lo", "down")
        print(_code(node))


def _code(node: NodeAddress) -> Code | None:
    try:
        asyncio.run(probe(node))
    except WireError as error:
        return error.code
    return None


if __name__ == "__main__":
    lose_routes()
