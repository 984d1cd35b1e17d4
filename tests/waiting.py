"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable

# Never reached on a healthy machine, however busy it is.
PATIENCE = 120.0


def eventually(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Wait until the condition holds; tell whether it did."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
