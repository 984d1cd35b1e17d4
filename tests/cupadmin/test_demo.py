import os
import re
import signal
import socket
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management.base import CommandError

from clusters.jobs.discover import DiscoverCluster
from cupadmin.management.commands.demo import (
    FIRST_NODE,
    NOT_REGISTERED,
    refuse_second_lab,
)
from diagnostics.jobs.sweep import Sweep
from tests.brokers.private import free_port
from tests.waiting import eventually

PATIENCE = 300.0


def test_a_second_lab_on_the_machine_is_refused_at_once():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = taken.getsockname()
        with pytest.raises(CommandError, match=f":{address[1]} "):
            refuse_second_lab(address)
    refuse_second_lab(address)


def test_a_machine_without_such_addresses_is_not_refused():
    refuse_second_lab(("192.0.2.1", 8443))


@pytest.mark.servers
@pytest.mark.parametrize("options", [(), ("--real",)], ids=["plain", "real"])
def test_demo_starts_registers_its_clusters_and_ends(tmp_path, options):
    """The whole of `make demo`, as a newcomer starts it."""
    try:
        refuse_second_lab(FIRST_NODE)
    except CommandError as error:
        pytest.skip(str(error))
    output = tmp_path / "output"
    with output.open("wb") as file:
        demo = subprocess.Popen(
            [sys.executable, "manage.py", "demo", *options],
            cwd=settings.BASE_DIR,
            env=os.environ
            | {
                "CUPADMIN_DATA_DIR": str(tmp_path / "data"),
                "DJANGO_SETTINGS_MODULE": "cupadmin.settings",
                "PORT": str(free_port()),
            },
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        assert eventually(lambda: b"Ctrl-C ends it." in output.read_bytes(), PATIENCE)
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(60)
    registered = (tmp_path / "data/log/register.log").read_text()
    assert NOT_REGISTERED not in output.read_text(), registered
    if options:
        assert re.search(rf"{Sweep.label} .*: succeeded", registered), registered
    else:
        assert registered.count(DiscoverCluster.label) == 3, registered
        assert registered.count(": verified") == 2, registered
