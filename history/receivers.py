"""What other apps record is counted, and looked at for changes."""

from typing import Any

from django.db import transaction

from diagnostics.signals import peers_recorded


def connect_receivers() -> None:
    peers_recorded.connect(count_stored_checks, dispatch_uid="history.count")


def count_stored_checks(sender: object, **extra: Any) -> None:
    from history import rollup

    transaction.on_commit(rollup.roll_up, robust=True)
