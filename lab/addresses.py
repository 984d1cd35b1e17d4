"""Addresses and ports: where on the loopback network each node lives."""

import contextlib
import socket

PORTS = (8443, 5060, 5061, 5062)
FIRST_FREE_PORT = 28_440
LAST_PORT = 60_000
FREE_NETWORKS = range(100, 240)
# A lab holds this port of its network's first address while it lives.
LOCK_PORT = 5354


class Place:
    """The part of the loopback network that one lab uses."""

    def __init__(self, network: str, single_address: bool, nodes: int) -> None:
        self.single_address = single_address
        self.first_port = _free_ports(4 * nodes) if single_address else 0
        self.lock: socket.socket | None = None
        self.network = network
        if network == "auto" and not single_address:
            self.network = self._take_a_free_one()

    def _take_a_free_one(self) -> str:
        for number in FREE_NETWORKS:
            lock = socket.socket()
            try:
                lock.bind((f"127.{number}.0.1", LOCK_PORT))
            except OSError:
                lock.close()
                continue
            self.lock = lock
            return f"127.{number}"
        raise OSError("no network of 127.0.0.0/8 is free")

    def leave(self) -> None:
        with contextlib.suppress(OSError):
            if self.lock:
                self.lock.close()

    def of(self, cluster: int, node: int, nodes: int) -> tuple[str, tuple[int, ...]]:
        """Return address and ports of a node, both counted from 1."""
        if self.single_address:
            first = self.first_port + 4 * ((cluster - 1) * nodes + node - 1)
            return "127.0.0.1", tuple(range(first, first + 4))
        first_byte, second_byte = self.network.split(".")
        carry, third = divmod(cluster - 1, 250)
        return f"{first_byte}.{int(second_byte) + carry}.{third + 1}.{node}", PORTS


def _free_ports(count: int) -> int:
    """Return the first of so many consecutive ports that nobody listens on."""
    first = FIRST_FREE_PORT
    while first + count < LAST_PORT:
        used = next((p for p in range(first, first + count) if not _is_free(p)), None)
        if used is None:
            return first
        first = used + 1
    raise OSError(f"no {count} consecutive ports are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
