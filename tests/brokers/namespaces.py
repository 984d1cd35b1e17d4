"""Network namespaces: a place for the clusters, and one for each worker.

    clusters: 10.77.0.0/16, the lab
    berlin:   a route to 10.77.1.0/24, where the first cluster is
    munich:   a route to 10.77.2.0/24, where the second cluster is
    centre:   no route at all

Workers share files only: the database and the broker are in the data directory.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

NETWORK = "10.77"
DNS = f"{NETWORK}.0.53"
PREFIX = f"cupadmin{os.getpid()}"
CLUSTERS, CENTRE = "clusters", "centre"
SITES = {"berlin": 1, "munich": 2}


def refusal() -> str:
    """Why there can be no namespaces here; empty if there can."""
    if shutil.which("ip") is None:
        return "ip (iproute2) is missing"
    tried = subprocess.run(["ip", "netns", "add", name_of("try")], capture_output=True)
    if tried.returncode:
        return f"no network namespace can be made ({tried.stderr.decode().strip()})"
    ip("netns", "delete", name_of("try"))
    return ""


def name_of(place: str) -> str:
    return f"{PREFIX}-{place}"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def places() -> Iterator[None]:
    """Make the places; nothing of them is left behind."""
    names = [CLUSTERS, CENTRE, *SITES]
    try:
        for place in names:
            ip("netns", "add", name_of(place))
            ip("-n", name_of(place), "link", "set", "lo", "up")
        # Every address of the network is one of this place.
        at = name_of(CLUSTERS)
        ip("-n", at, "route", "add", "local", f"{NETWORK}.0.0/16", "dev", "lo")
        for site, number in SITES.items():
            join(site, number)
        yield
    finally:
        for place in names:
            subprocess.run(
                ["ip", "netns", "delete", name_of(place)], capture_output=True
            )


def join(site: str, number: int) -> None:
    """Lead a site to the network of its cluster, and to the DNS server."""
    near, far = f"c{number}", f"s{number}"
    here, there = f"10.78.{number}.1", f"10.78.{number}.2"
    at, clusters = name_of(site), name_of(CLUSTERS)
    ip("-n", clusters, "link", "add", near, "type", "veth", "peer", far, "netns", at)
    ip("-n", clusters, "address", "add", f"{here}/30", "dev", near)
    ip("-n", clusters, "link", "set", near, "up")
    ip("-n", at, "address", "add", f"{there}/30", "dev", far)
    ip("-n", at, "link", "set", far, "up")
    for network in (f"{NETWORK}.{number}.0/24", f"{DNS}/32"):
        ip("-n", at, "route", "add", network, "via", here)


def start_at(
    place: str, command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> "subprocess.Popen[bytes]":
    """Start a process in a place."""
    inside = ["ip", "netns", "exec", name_of(place), *command]
    return subprocess.Popen(inside, env=dict(environment), cwd=folder)
