"""The command line: run a lab, or tell the one that runs what to do."""

import argparse
import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from . import faults, pages
from .lab import USERS, Lab
from .peer_table import FORMS
from .releases import DEFAULT_RELEASE, RELEASES

DESCRIPTION = """\
Simulated Cisco Unified Presence clusters on real sockets. Without a command a lab
starts and runs until Ctrl-C; with one, the lab that runs is told what to do.

Each node has its own loopback address 127.20.<cluster>.<node> (on Linux; elsewhere
127.0.0.1 and ports from 28440) with AXL and Control Center on 8443 (HTTPS), SIP on
5060 (UDP, TCP), 5061 (TLS) and 5062 (TLS with client certificate). The lab's DNS
server is 127.20.0.53:5353. Clusters are called cup1, cup2, ... and nodes cup1-pub,
cup1-sub1, ...; the domain is lab.example. Accounts, addresses and fingerprints are
in lab.json.

With --pages the nodes also serve administration pages at https://NODE/cupadmin/, on
port 443 where this process may open it, otherwise on the pages_port in lab.json (and
on 8443). Sign in as pages_username, or as pagereader, who may change nothing; other
application users have no right there. Peers are written to the table that the other
interfaces use; only the publisher's pages show them. The markups differ in skeleton,
paths, names, labels, order, buttons and icons:
  classic   tables and fieldsets, nested menu, token in a cookie, actions by script
  frames    frames, image buttons, pages that ask before delete, few columns
  labels    label elements, real buttons, the manual sync in a second window
  modern    headings and labels, saving by script without navigation, no fieldset
Faults of areas pages and page_... make them fail: fault --help.

With --presence the nodes of 8.x and later serve the Presence Web Service on port 8083
with a certificate of its own (presence_fingerprint in lab.json); the application user
is presence_username. A user's state goes to another cluster only while both entries
have one protocol, both agents and proxies are started and names resolve.

Nodes of release 14 and later show their certificates on the port of the pages (443) to
os_username; trust lists hold those of the peers that the sync agent has carried.
"""
COMMANDS = """\
commands for a running lab
  fault set TARGET AREA=VALUE[:PARAMETER][*TIMES] ...   TARGET: lab, cluster or node
  fault clear [TARGET [AREA]]
  fault list
  fault --help                            all faults, with what they do
  users list|add CLUSTER [COUNT]          see, or add new people
  users remove CLUSTER USERID ...
  users move CLUSTER USERID OTHER
  peers list [CLUSTER]                    entries, and what the sync agent says
  peers add CLUSTER OTHER [PROTOCOL]      both sides of a peering
  peers enter CLUSTER OTHER [FIELD=VALUE ...]  one entry, or another in its place;
                                          address, username, password, protocol, mask
  peers remove CLUSTER OTHER|ADDRESS      one entry; fault agent=leftovers keeps users
  tables CLUSTER                          where its peers are, and all its tables
  password CLUSTER USER PASSWORD          of an application user; entries keep the old
  saves CLUSTER                           what was done on its pages, by entry
  service list NODE
  service set NODE NAME STATE             Started, Stopped, Starting, Stopping
  certificate renew NODE                  a new certificate for good
  generation CLUSTER NAME [VERSION]       as by an upgrade
  calls NODE [COUNT]                      what the node was asked last
  describe                                lab.json as it is now

  The running lab is found by lab.json: --describe, --state or CUPADMIN_LAB, else
  var/lab/lab.json.

examples
  python -m lab --clusters 3 --state var/lab --peer cup1:cup2
  python -m lab --clusters 4 --peered --decoys --tables renamed,key,split,empty
  python -m lab fault set cup1 catalogue=refused decoys=copy agent=leftovers
  python -m lab peers enter cup1 cup2 protocol=TLS username=wrong
  python -m lab fault set cup2-pub axl=stall
  python -m lab fault set cup1 latency=50 control_center=rate:10
  python -m lab --pages classic,frames,labels,modern --peer cup1:cup2
  python -m lab fault set cup1 page_peer=ignored*1 page_sign_in=banner
  python -m lab fault set cup1 'axl=write-503*2'
  python -m lab service set cup1-pub "Cisco UP Intercluster Sync Agent" Stopped
"""


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        "python -m lab",
        description=DESCRIPTION,
        epilog=COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("command", nargs="*", help=argparse.SUPPRESS)
    add("--clusters", type=int, default=3, metavar="N", help="number of clusters (3)")
    add("--nodes", type=int, default=2, metavar="M", help="nodes of each cluster (2)")
    add(
        "--users",
        default=",".join(map(str, USERS)),
        help="local users of the clusters in turn (%(default)s)",
    )
    add(
        "--generation",
        default="cup7,cup8,imp",
        help=f"generations in turn (%(default)s); known: {', '.join(DEFAULT_RELEASE)}",
    )
    add(
        "--versions",
        default="",
        help=f"versions in turn, instead of generations; known: {', '.join(RELEASES)}",
    )
    add(
        "--network",
        default="127.20",
        help="first half of the addresses (%(default)s), or auto: one that is free",
    )
    add(
        "--single-address",
        action="store_true",
        default=None,
        help="all nodes on 127.0.0.1, each with its own ports",
    )
    add("--state", type=Path, help="directory that keeps everything between runs")
    add("--describe", type=Path, help="where to write lab.json (in --state)")
    add(
        "--peer",
        action="append",
        default=[],
        metavar="A:B[:PROTOCOL]",
        help="set up this peering unless it is there; may be repeated",
    )
    add("--peered", action="store_true", help="new clusters are all peers at start")
    add(
        "--tables",
        default="published",
        metavar="FORMS",
        help=f"forms of peer tables in turn (%(default)s); known: {', '.join(FORMS)}",
    )
    add(
        "--pages",
        default="",
        metavar="MARKUPS",
        help="markups of the clusters' administration pages in turn, off for none; "
        f"known: {', '.join(pages.SKINS)} (no cluster has pages)",
    )
    add("--decoys", action="store_true", help="add tables that look like peer tables")
    add("--peer-table", type=Path, help="JSON file: table, columns, protocol_values")
    add("--agent-interval", type=float, help="seconds between cycles of the sync agent")
    add("--agent-timeout", type=float, default=5.0, help="seconds for one peer (5)")
    add("--service-delay", type=float, default=1.0, help="seconds to start or stop (1)")
    add(
        "--presence",
        action="store_true",
        help="serve the Presence Web Service on port 8083 (not on 7.x)",
    )
    add("--no-sip", action="store_true", help="open no SIP ports")
    add("--shared-key", action="store_true", help="one key for all nodes: fast start")
    return result


def lab_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of Lab that the command line asks for."""
    result = {
        "clusters": arguments.clusters,
        "nodes": arguments.nodes,
        "users": [int(n) for n in arguments.users.split(",")],
        "network": arguments.network,
        "generation": arguments.generation.split(","),
        "versions": [v for v in arguments.versions.split(",") if v],
        "state": arguments.state,
        "forms": tuple(arguments.tables.split(",")),
        "pages": tuple(p for p in arguments.pages.split(",") if p),
        "decoys": arguments.decoys,
        "peered": arguments.peered,
        "agent_interval": arguments.agent_interval,
        "agent_timeout": arguments.agent_timeout,
        "service_delay": arguments.service_delay,
        "sip": not arguments.no_sip,
        "presence": arguments.presence,
        "shared_key": arguments.shared_key,
    }
    if arguments.peer_table:
        result["peer_table"] = json.loads(arguments.peer_table.read_text())
    if arguments.single_address:
        result["single_address"] = True
    return result


def serve_lab(arguments: argparse.Namespace) -> int:
    """Run a lab until SIGINT or SIGTERM."""
    path = arguments.describe or arguments.state and arguments.state / "lab.json"
    if path:
        # Who waits for this file must not take the last run's for this one's.
        path.unlink(missing_ok=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        lab = Lab(**lab_options(arguments))
        lab.start()
    except (OSError, ValueError) as error:
        print(f"The lab cannot start: {error}", file=sys.stderr)
        return 1
    try:
        for text in arguments.peer:
            set_up_peering(lab, text)
        path = path or lab.directory / "lab.json"
        lab.write_description(path)
        announce_lab(lab, path)
        ended.wait()
    finally:
        lab.stop()
        if path:
            path.unlink(missing_ok=True)
    return 0


def set_up_peering(lab: Lab, text: str) -> None:
    first, second, *protocol = text.split(":")
    home, remote = lab.cluster(first), lab.cluster(second)
    if not home.peer_to(remote) and not remote.peer_to(home):
        home.peer_with(remote, *protocol)


def announce_lab(lab: Lab, path: Path) -> None:
    for cluster in lab.clusters:
        publisher = cluster.publisher
        print(
            f"{cluster.name}  {cluster.release.version:<18} "
            f"{publisher.address}:{publisher.axl_port}  {len(cluster.nodes)} nodes  "
            f"{cluster.local_users} users"
        )
    print(f"The lab is ready. DNS {lab.dns_address}, description {path}", flush=True)


def send_command(arguments: argparse.Namespace) -> int:
    """Send a command to the lab that runs and print what it answers."""
    path = find_description(arguments)
    if path is None:
        print("No running lab is found; name its lab.json with --describe")
        return 1
    known = json.loads(path.read_text())
    host, port = known["control"].rsplit(":", 1)
    message = {"token": known["control_token"], "words": arguments.command}
    try:
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(json.dumps(message).encode() + b"\n")
            answer = json.loads(connection.makefile().readline())
    except (OSError, ValueError) as error:
        print(f"The lab of {path} does not answer: {error}", file=sys.stderr)
        return 1
    if not answer["ok"]:
        print(answer["error"], file=sys.stderr)
        return 1
    print_result(answer["result"])
    return 0


def find_description(arguments: argparse.Namespace) -> Path | None:
    candidates = [
        arguments.describe,
        arguments.state and arguments.state / "lab.json",
        os.environ.get("CUPADMIN_LAB"),
        Path("var/lab/lab.json"),
    ]
    return next((Path(c) for c in candidates if c and Path(c).exists()), None)


def print_result(result: Any) -> None:
    if isinstance(result, list):
        print("\n".join(map(str, result)))
    elif isinstance(result, dict):
        print(json.dumps(result, indent=2))
    else:
        print(result)


def main(words: list[str]) -> int:
    if words[:1] == ["fault"] and {"-h", "--help"} & set(words):
        print((faults.__doc__ or "") + faults.help_text())
        return 0
    arguments = parser().parse_args(words)
    return send_command(arguments) if arguments.command else serve_lab(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
