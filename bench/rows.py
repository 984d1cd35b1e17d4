"""100,000 rows of an executeSQLQuery reply: streamed by the wire, and by zeep."""

import re
import socket
import sys

from bench import contest, contestants
from bench.server import address
from wire import AxlClient, NodeAddress, Policy, Secret, Trust, run_loop, sql

COUNT = 100_000
OURS = "wire: AxlClient.rows"
FLOOR = "floor: download alone"
PATTERN = "regular expression, not XML-safe"
PEER = "peer: zeep with requests, dictionaries"
TEXT = "select * from enduser"


def ours(fingerprint: str) -> int:
    from ipaddress import ip_network

    node = NodeAddress(
        "bench.example",
        address(0),
        username="axl",
        password=Secret("password"),
        trust=Trust(fingerprint=fingerprint),
        policy=Policy(networks=(ip_network("127.0.0.0/8"),)),
        axl_version="8.5",
    )

    async def main() -> int:
        count = 0
        async with AxlClient(node, max_body=1 << 30) as axl:
            async for row in axl.rows(sql.build_query("users"), deadline=120):
                count += "userid" in row
        return count

    return run_loop(main())


def download() -> bytes:
    with (
        socket.create_connection((address(0), 8443)) as plain,
        contestants.bare_context().wrap_socket(plain) as tls,
    ):
        tls.sendall(contestants.bare_query(TEXT))
        received = tls.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        pieces, size = [body], len(body)
        while size < length:
            piece = tls.recv(65536)
            pieces.append(piece)
            size += len(piece)
    return b"".join(pieces)


def pattern() -> int:
    cell = re.compile(rb"<(\w+)>([^<]*)</\1>")
    found = re.findall(rb"<row>(.*?)</row>", download())
    return len([dict(cell.findall(row)) for row in found])


def peer() -> int:
    client = contestants.zeep_client(contestants.small_wsdl())
    service = contestants.service_at(client, address(0))
    return len(contestants.zeep_rows(service, TEXT))


def main() -> None:
    name, rest = contest.contestant()
    if name:
        work = {
            OURS: lambda: ours(rest[0]),
            FLOOR: lambda: len(download()),
            PATTERN: pattern,
            PEER: peer,
        }[name]
        contest.perform(work)
        return
    with contest.server("rows", COUNT) as reported:
        mark = reported["fingerprint"]
        results = [
            contest.measure("bench.rows", each, mark)
            for each in (FLOOR, PATTERN, OURS, PEER)
        ]
    size = int(str(reported["bytes"])) / 1e6
    contest.table(f"{COUNT} rows of 7 columns, {size:.1f} MB", results, OURS)
    by_name = {result.name: result for result in results}
    faster = by_name[PEER].seconds / by_name[OURS].seconds
    held = [
        contest.verdict("time against zeep", 1 / faster, 1 / 3),
        contest.verdict("extra MiB, import included", by_name[OURS].extra_mib, 10),
        by_name[OURS].answer == by_name[PEER].answer == COUNT,
    ]
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
