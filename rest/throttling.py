"""Politeness: so many requests a minute for each token or signed-in browser.

The database holds the count, so that the limit is one for all web processes. A process
takes a share of what is left at once and spends it without asking; the shares become
smaller as the allowance does, so little is left unspent in one process when another
has nothing.
"""

import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import F
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:
    # REST views load the classes that the settings name, this module among them.
    from rest_framework.views import APIView

WINDOW = 60
SHARE = 20
# Tries to take a share that others took in between.
TRIES = 5
# Holders that one process remembers; a forgotten one loses its share, no more.
MOST_HOLDERS = 10_000


@dataclass
class Share:
    """What one process may still let through for a holder in a window."""

    window: int
    left: int
    # Nothing is left in the database either, until the window ends.
    over: bool = False


_shares: dict[str, Share] = {}
_lock = Lock()


class PerToken(BaseThrottle):
    """Lets API_RATE requests a minute through, however many processes there are."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        limit: int = settings.API_RATE
        if not limit:
            return True
        holder: Any = request.auth or request.user
        key = f"{type(holder).__name__}:{holder.pk}"
        window = int(time.time()) // WINDOW
        return spend_request(key, window) or spend_new_share(key, window, limit)

    def wait(self) -> float:
        return WINDOW - time.time() % WINDOW


def spend_request(key: str, window: int) -> bool:
    """Use one request of this process's share."""
    with _lock:
        share = _shares.get(key)
        if share is None or share.window != window or not share.left:
            return False
        share.left -= 1
        return True


def spend_new_share(key: str, window: int, limit: int) -> bool:
    """Take another share and use one request of it; False: nothing is left."""
    known = _shares.get(key)
    if known is not None and known.window == window and known.over:
        return False
    reserved = reserve_share(key, window, limit)
    with _lock:
        if len(_shares) >= MOST_HOLDERS:
            _shares.clear()
        share = _shares.get(key)
        # Another thread may have taken one too.
        left = share.left if share is not None and share.window == window else 0
        remaining = left + (reserved - 1 if reserved else 0)
        _shares[key] = Share(window, remaining, over=reserved == 0 and not remaining)
    return bool(reserved)


def reserve_share(key: str, window: int, limit: int) -> int | None:
    """Take a share of what is left in the database; 0: nothing is left.

    A request that began in an older window counts in the newer one that others began.
    None: so many ask for this holder at once that this one may well wait.
    """
    from rest.models import Allowance

    row = Allowance.objects.filter(holder=key)
    for _ in range(TRIES):
        found = row.values_list("window", "used").first()
        if found is None:
            fresh = Allowance(holder=key, window=window)
            Allowance.objects.bulk_create([fresh], ignore_conflicts=True)
            continue
        counted, used = found
        if counted < window:
            row.filter(window=counted).update(window=window, used=0)
            continue
        left = limit - used
        if left <= 0:
            return 0
        share = max(1, left // SHARE)
        enough = row.filter(window=counted, used__lte=limit - share)
        if enough.update(used=F("used") + share):
            return share
    return None
