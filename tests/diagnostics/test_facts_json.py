"""Facts go from one worker to another as JSON, and are the same then."""

from dataclasses import replace
from datetime import UTC, datetime

from diagnostics.answers import Answer, Failure
from diagnostics.facts import ImAddress, UserFaults
from diagnostics.facts_json import pack_facts, unpack_facts
from pages import IconOutcome, PageNotice, PagesStatus, VendorTest
from pages.status import StatusEntry
from tests.diagnostics.healthy import NOW, facts
from wire import Resolution
from wire.dns import SrvTarget


def test_healthy_facts_are_the_same_afterwards():
    before = facts()
    after = unpack_facts(pack_facts(before))
    assert after.clusters == before.clusters
    assert after.peers == before.peers
    assert after.at == before.at


def test_what_pages_and_names_showed_is_the_same_afterwards():
    before = facts()
    pk, home = next(iter(before.clusters.items()))
    number, tried = next(iter(before.peers.items()))
    seen = PagesStatus(NOW, (StatusEntry("Peer", IconOutcome.PASSED, "ok"),), 7)
    home = replace(
        home,
        page_status={"cup2": seen},
        page_tests=Answer(
            (VendorTest("a", "b", IconOutcome.FAILED, "c", "d"),), at=NOW
        ),
        page_notices=(PageNotice("high", "\0 \ud800 hostile"),),
        im_addresses=Answer((ImAddress("u", "u@x", "", "n"),)),
        user_faults=UserFaults(duplicate_mails=Answer(("u",))),
        users=Answer({"cup1-1": 5}, None, 2.0, datetime.now(UTC)),
        version=Answer(failure=Failure("timeout", "Late.", passing=True), late=True),
    )
    srv = Resolution(("10.0.0.1",), (SrvTarget("a", 1, 2, 3),), 4.0)
    tried = replace(tried, resolution=Answer(srv, at=NOW))
    spoilt = replace(
        before, clusters={pk: home}, peers={number: tried}, silent_servers=("9.9.9.9",)
    )
    after = unpack_facts(pack_facts(spoilt))
    assert after.clusters == spoilt.clusters
    assert after.peers == spoilt.peers
    assert after.clusters[pk].page_status["cup2"].entries[0].outcome.value == "passed"
    assert after.peers[number].resolution.at == NOW
    assert after.silent_servers == ("9.9.9.9",)
