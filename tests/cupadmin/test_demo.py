import socket

import pytest
from django.core.management.base import CommandError

from cupadmin.management.commands.demo import refuse_second_lab


def test_a_second_lab_on_the_machine_is_refused_at_once():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = taken.getsockname()
        with pytest.raises(CommandError, match="another demo or lab runs"):
            refuse_second_lab(address)
    refuse_second_lab(address)


def test_a_machine_without_such_addresses_is_not_refused():
    refuse_second_lab(("192.0.2.1", 8443))
