"""`make demo`: the console beside three simulated clusters, one peering set up."""

import errno
import json
import os
import secrets
import socket
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from cupadmin.keys import read_or_create
from cupadmin.management.commands import run
from cupadmin.supervisor import Supervisor

LAB_NETWORK = "127.0.0.0/8"
# Where the lab's first node listens, on Linux.
FIRST_NODE = ("127.20.1.1", 8443)
# Releases that are known to peer with each other.
VERSIONS = "8.6,8.6,9.1"


class Command(run.Command):
    """Start the lab first, then the console, then register the lab's clusters."""

    help = "Run the console with simulated clusters. Ctrl-C ends all of it."

    def first_administrator(self) -> str:
        """Keep one password for the demo, so that a second start can print it too."""
        fresh = os.environ.get("CUPADMIN_ADMIN_PASSWORD", "")
        path = settings.DATA_DIR / "demo_password"
        password = fresh or read_or_create(path, secrets.token_urlsafe(12))
        run.create_administrator(password)
        return password

    def before(self, supervisor: Supervisor) -> dict[str, str]:
        refuse_second_lab(FIRST_NODE)
        self.say("Starting three simulated clusters ...")
        state = settings.DATA_DIR / "lab"
        described = state / "lab.json"
        described.unlink(missing_ok=True)
        supervisor.start(
            "lab",
            *[sys.executable, "-m", "lab", "--state", str(state)],
            *["--clusters", "3", "--nodes", "2", "--versions", VERSIONS],
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
        self.say("Registering the clusters and setting up one peering ...")
        described = settings.DATA_DIR / "lab" / "lab.json"
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "manage.py", "register_lab", str(described)],
            env=os.environ | environment,
            cwd=settings.BASE_DIR,
        )
        if done.returncode:
            self.say("The clusters could not be registered; the console runs anyway.")

    def banner(self, password: Any) -> None:
        super().banner(password)
        self.say(
            "  Try it: Presence > Inter-Clustering, then set up the pairs that are\n"
            "  missing in the matrix. The lab's credentials are in var/lab/lab.json.\n"
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
