"""Reading the peers of a cluster from the product's own pages, within a check.

One session per account: who collects has the account for as long as the collection
takes. A slow or unknown page costs only what it shows.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from clusters.page_visits import Account, hold_session
from diagnostics.answers import UNASKED, Answer, Failure
from diagnostics.collector import Collector
from diagnostics.node_addresses import ClusterTarget
from pages import PageNotice, PagesStatus, PeerPages, VendorTest, notices
from wire import PeerEntry, WireError, plain_host

# Seconds for all pages of a cluster.
PAGES = 40.0
# Kept of them for signing out.
FAREWELL = 5.0
# The page that explains the icons runs all its tests first.
KEY = 15.0
# The same for a run of the troubleshooter, which shows what those tests say.
PAGES_OF_A_RUN = 80.0
TESTS = 45.0


@dataclass(frozen=True)
class PageFacts:
    """The entries of a cluster, and by their address what their status panels show."""

    entries: tuple[PeerEntry, ...]
    statuses: Mapping[str, PagesStatus]
    tests: Answer[tuple[VendorTest, ...]] = UNASKED
    notices: tuple[PageNotice, ...] = ()


async def read_pages(
    collector: Collector, cluster: ClusterTarget, *, deep: bool = False
) -> Answer[PageFacts]:
    account, blocked = cluster.pages, cluster.pages_blocked
    if blocked:
        return Answer(failure=blocked)
    if account is None:
        return UNASKED
    most = PAGES_OF_A_RUN if deep else PAGES
    return await collector.ask(
        lambda seconds: _read_pages(account, seconds, deep), most
    )


async def _read_pages(account: Account, seconds: float, deep: bool) -> PageFacts:
    entries, statuses = [], {}
    limit = max(seconds - FAREWELL, seconds / 2)
    tests: Answer[tuple[VendorTest, ...]] = UNASKED
    seconds_each = min(TESTS if deep else KEY, limit / 2)
    notices_read: tuple[PageNotice, ...] = ()
    async with account.visit(limit) as visit:
        pages = PeerPages(visit)
        listed = await pages.entries()
        for number, one in enumerate(listed):
            entry_read = await pages.show(one)
            if not number and not pages.key.meanings:
                tests = await _tests(pages, seconds_each)
                entry_read = await pages.show(one)
            entries.append(entry_read.entry)
            statuses[plain_host(entry_read.entry.address)] = entry_read.status
        if deep and tests is UNASKED:
            tests = await _tests(pages, seconds_each)
        with suppress(WireError):
            notices_read = tuple(await notices(visit)) if deep else ()
    return PageFacts(tuple(entries), statuses, tests, notices_read)


async def _tests(pages: PeerPages, seconds: float) -> Answer[tuple[VendorTest, ...]]:
    """Open the System Troubleshooter; where it is slow, only its rows are lost."""
    at = datetime.now(UTC)
    try:
        return Answer(tuple(await pages.tests(seconds)), at=at)
    except WireError as error:
        return Answer(failure=Failure.of(error), at=at)


@contextmanager
def reserve_accounts(
    clusters: Iterable[ClusterTarget], seconds: float
) -> Iterator[list[ClusterTarget]]:
    """Hold the accounts of these clusters; one in use is not waited for."""
    with ExitStack() as stack:
        yield [_reserved(stack, cluster, seconds) for cluster in clusters]


def _reserved(
    stack: ExitStack, cluster: ClusterTarget, seconds: float
) -> ClusterTarget:
    if cluster.pages is None:
        return cluster
    try:
        stack.enter_context(hold_session(cluster.pages, seconds, patience=0))
    except WireError as error:
        return replace(cluster, pages=None, pages_blocked=Failure.of(error))
    return cluster
