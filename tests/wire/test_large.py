"""75,000 users of one cluster, as a stream that is never held whole."""

import resource
import subprocess
import sys
from ipaddress import ip_network

import pytest

from lab import Lab
from tests.wire.conftest import address_of
from wire import AxlClient, NodeAddress, Policy, Secret, Trust, run_loop, sql

pytestmark = pytest.mark.servers

USERS = 75_000
# The rows as dictionaries would take about 90 MiB, one page of text 8.
ALLOWED_MIB = 40


def test_all_users_arrive_in_pages_and_none_is_kept():
    with Lab(clusters=1, nodes=1, users=USERS, network="auto", sip=False) as lab:
        reported = _read_in_a_process_of_its_own(address_of(lab))
        probed, *requested = [x for x in lab.clusters[0].publisher.calls if x.sql]
    count, extra_mib = reported
    assert count == USERS
    assert extra_mib < ALLOWED_MIB
    assert probed.status == 200
    assert [call.status for call in requested] == [500] + [200] * (len(requested) - 1)
    assert all("select skip " in call.sql for call in requested[1:])


def _read_in_a_process_of_its_own(node: NodeAddress) -> tuple[int, float]:
    """Let another process read, whose memory is the client's alone."""
    words = (node.name, node.address, node.username, node.password.reveal())
    command = [sys.executable, "-m", __name__, *words, node.trust.fingerprint]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    count, extra_mib = done.stdout.split()
    return int(count), float(extra_mib)


async def read_large(node: NodeAddress) -> tuple[int, int]:
    """Count users in their order, each once; give the memory before them too."""
    count, last = 0, ""
    async with AxlClient(node) as axl:
        await axl.probe()
        before = peak_kib()
        async for row in axl.rows(sql.build_query("users"), deadline=240):
            assert row["pkid"] and row["pkid"] > last
            count, last = count + 1, row["pkid"]
    return count, before


def peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    name, address, username, password, fingerprint = sys.argv[1:]
    node = NodeAddress(
        name,
        address,
        username=username,
        password=Secret(password),
        trust=Trust(fingerprint=fingerprint),
        policy=Policy(networks=(ip_network("127.0.0.0/8"),)),
    )
    count, before = run_loop(read_large(node))
    print(count, (peak_kib() - before) / 1024)


if __name__ == "__main__":
    main()
