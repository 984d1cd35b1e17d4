"""`make demo`: the console beside simulated clusters.

Three of which two are peers; with `--real` a mesh that was there before the console,
whose clusters hide their peer tables, as real ones do.
"""

import errno
import json
import os
import secrets
import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from cupadmin.keys import read_or_create
from cupadmin.management.commands import run
from cupadmin.supervisor import Supervisor

# The state of the lab below the data directory, by whether it is the real one.
LAB = {False: "lab", True: "lab-real"}
NOT_REGISTERED = "The clusters could not be registered; the console runs anyway."
LAB_NETWORK = "127.0.0.0/8"
# Where the lab's first node listens, on Linux.
FIRST_NODE = ("127.20.1.1", 8443)
# Releases that are known to peer with each other.
VERSIONS = "8.6,8.6,9.1"
# The first cluster is provisioned through its own pages.
PLAIN = [
    *["--clusters", "3", "--nodes", "2", "--versions", VERSIONS],
    *["--pages", "classic,off,off"],
    "--presence",
]
REAL = [
    *["--clusters", "4", "--nodes", "2", "--versions", f"{VERSIONS},9.1"],
    *["--peered", "--decoys", "--tables", "renamed,renamed,key,empty"],
]


class Command(run.Command):
    """Start the lab first, then the console, then register the lab's clusters."""

    help = "Run the console with simulated clusters. Ctrl-C ends all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--real",
            action="store_true",
            default=bool(os.environ.get("REAL")),
            help="a running mesh with hidden peer tables, to be discovered and adopted",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.real = options["real"]
        super().handle(*args, **options)

    def first_administrator(self) -> str:
        """Keep one password for the demo, so that a second start can print it too."""
        path = settings.DATA_DIR / "demo_password"
        password = settings.ADMIN_PASSWORD or read_or_create(
            path, secrets.token_urlsafe(12)
        )
        run.create_administrator(password)
        return password

    def before(self, supervisor: Supervisor) -> dict[str, str]:
        refuse_second_lab(FIRST_NODE)
        refuse_other_demo(self.real)
        self.write_line("Starting the simulated clusters ...")
        state = settings.DATA_DIR / LAB[self.real]
        self.described = described = state / "lab.json"
        described.unlink(missing_ok=True)
        supervisor.start(
            "lab",
            *[sys.executable, "-m", "lab", "--state", str(state)],
            *(REAL if self.real else PLAIN),
        )
        supervisor.wait_for(described.exists, "The lab", 60)
        lab = json.loads(described.read_text())
        return {
            "CUPADMIN_ALLOWED_NETWORKS": ",".join(
                [*settings.ALLOWED_NETWORKS, LAB_NETWORK]
            ),
            "CUPADMIN_DNS_SERVERS": lab["dns"],
        }

    def after(self, supervisor: Supervisor, environment: dict[str, str]) -> None:
        self.write_line(
            "Registering the first cluster ..."
            if self.real
            else "Registering the clusters and setting up one peering ..."
        )
        if supervisor.run(
            "register",
            *[sys.executable, "-m", "cupadmin", "register_lab", str(self.described)],
            *(["--first"] if self.real else []),
            environment=environment,
        ):
            self.write_line(NOT_REGISTERED)

    def banner(self, password: Any) -> None:
        super().banner(password)
        if self.real:
            self.write_line(real_advice(json.loads(self.described.read_text())))
            return
        self.write_line(
            "  Try it: Presence > Inter-Clustering, then set up the pairs that are\n"
            "  missing in the matrix. Peers of cup1 are entered through its own\n"
            "  pages; the lab's credentials, also those of the pages, are in\n"
            f"  {self.described}.\n"
        )


def real_advice(lab: dict[str, Any]) -> str:
    """Say what to try, and the accounts that an administrator would know."""
    accounts = "\n".join(
        f"    {one['name']}  AXL {one['axl_username']} / {one['axl_password']}   "
        f"intercluster {one['intercluster_username']} / {one['intercluster_password']}"
        for one in lab["clusters"]
    )
    return (
        "  Four clusters are peers of each other; the console has only cup1. Try it:\n"
        "  Presence > Mesh > Running mesh, add the neighbours, then adopt the "
        f"peerings.\n{accounts}\n  Fingerprints to compare are in "
        f"{settings.DATA_DIR / LAB[True] / 'lab.json'}.\n"
    )


def refuse_other_demo(real: bool) -> None:
    """The clusters of one demo mean nothing to a console that has the other's."""
    if (settings.DATA_DIR / LAB[not real]).exists():
        raise CommandError(
            f"{settings.DATA_DIR} belongs to the other demo. Choose another directory "
            "with CUPADMIN_DATA_DIR."
        )


def refuse_second_lab(address: tuple[str, int]) -> None:
    """Two labs share no addresses; say so rather than start one again and again."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"{address[0]}:{address[1]} is taken: another demo or lab runs on "
                    "this machine. End it first."
                ) from None
