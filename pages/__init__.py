"""The vendor's own administration pages, driven by the words that its guide uses.

Knows no Django and no settings; of the project it imports only `wire`.
"""

from pages.describe import describe_pages
from pages.errors import EXPLANATIONS, PageCode, PagesError
from pages.icons import IconKey, IconOutcome
from pages.notices import PageNotice, notices
from pages.peer_lists import ListedPeer
from pages.peers import PagesStatus, PeerPages, ReadEntry
from pages.status import StatusEntry, VendorTest
from pages.syncing import synchronise_now
from pages.visit import Visit

__all__ = [
    "EXPLANATIONS",
    "IconKey",
    "ListedPeer",
    "PageNotice",
    "IconOutcome",
    "PageCode",
    "PagesError",
    "PeerPages",
    "PagesStatus",
    "ReadEntry",
    "StatusEntry",
    "VendorTest",
    "Visit",
    "describe_pages",
    "notices",
    "synchronise_now",
]
