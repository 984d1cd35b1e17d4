"""What creating a client costs: CPU time and memory, of the first and of more."""

import sys
import time
from ipaddress import ip_network

from bench import contest
from wire import AxlClient, NodeAddress, Policy, Secret, Trust, soap, sql


def node(number: int) -> NodeAddress:
    return NodeAddress(
        f"cup{number}.example.com",
        "127.0.0.1",
        username="axl",
        password=Secret("password"),
        trust=Trust(fingerprint="ab" * 32),
        policy=Policy(networks=(ip_network("127.0.0.0/8"),)),
    )


def create() -> None:
    """Create a client and the message of its first request."""
    AxlClient(node(0))
    soap.build_request(
        "axl", "executeSQLQuery", "8.5", sql=sql.build_query("publisher_count").text
    )


def main() -> None:
    before, started = contest.peak(), time.process_time()
    create()
    first = (time.process_time() - started) * 1000
    memory = contest.peak() - before
    started = time.process_time()
    clients = [AxlClient(node(number)) for number in range(1_000)]
    each = (time.process_time() - started) * 1000 / len(clients)
    print("\nCreating a client")
    print(f"  one more: {each * 1000:.0f} microseconds")
    held = [
        contest.verdict("first client and request, CPU ms", first, 20),
        contest.verdict("first client and request, MiB", memory, 5),
    ]
    sys.exit(not all(held))


if __name__ == "__main__":
    main()
