"""A check of one peer ends in time, and what it did not reach is never good."""

import asyncio
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics import checks, collector, near
from diagnostics.answers import TOO_LATE, Answer
from diagnostics.collector import Collector
from diagnostics.judge.cluster import health_of
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.sections import TESTS
from diagnostics.judge.status import judge_entries, outcome_of
from diagnostics.judge.tests import Level, run_tests
from peers.models import Peer
from tests.diagnostics.healthy import facts
from tests.diagnostics.test_checks import entries_of
from wire import Code, WireError

LATE = Answer(late=True)
UNKNOWN = {"unknown", "information"}


def on_virtual_clock(work):
    """Run a coroutine in no time; give its result and the seconds it believes in."""
    loop, now = asyncio.SelectorEventLoop(), [1000.0]
    real = loop._selector.select

    def select(timeout):
        found = real(0)
        now[0] += timeout if timeout and not found else 0
        return found

    loop.time = lambda: now[0]
    loop._selector.select = select
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collector.time, "monotonic", lambda: now[0])
        try:
            return loop.run_until_complete(work()), now[0] - 1000
        finally:
            loop.close()


async def hang(seconds):
    """Never answer, and mind no deadline."""
    await asyncio.Event().wait()


async def time_out(seconds):
    await asyncio.sleep(seconds)
    raise WireError(Code.TIMEOUT)


async def throttle(seconds):
    """Wait as long as the deadline allows, then give up, as a back-off does."""
    await asyncio.sleep(seconds * 0.9)
    raise WireError(Code.THROTTLED)


async def answer(seconds):
    await asyncio.sleep(3)
    return 1


QUESTIONS = [hang, time_out, throttle, answer]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from(QUESTIONS), max_size=6), max_size=6),
    st.integers(1, 5),
    st.sampled_from([0, 1, 20, 45]),
)
def test_a_collection_ends_in_its_time_whatever_is_asked(talks, places, total):
    async def collect():
        requested = Collector(total)

        async def talk(questions):
            return [await requested.ask(one, 20) for one in questions]

        return await asyncio.gather(*map(talk, talks))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collector, "socket_limit", lambda: places)
        found, took = on_virtual_clock(collect)
    assert took <= total + 0.01
    answers = [one for talk in found for one in talk]
    assert all(one.known or one.failure or one.late for one in answers)


def test_who_got_no_chance_is_late_and_who_did_not_answer_has_failed():
    async def collect():
        requested = Collector(20)
        return [await requested.ask(one, 18) for one in (time_out, time_out, answer)]

    (slow, cut, unasked), _ = on_virtual_clock(collect)
    assert slow.code == Code.TIMEOUT and not slow.late
    assert cut.late and unasked.late and not (cut.failure or unasked.failure)


def test_a_part_of_a_collection_has_a_time_of_its_own():
    async def collect():
        part = Collector(45).within(20)
        return [await part.ask(hang, 30) for _ in range(3)]

    found, took = on_virtual_clock(collect)
    assert took <= 20.01 and found[-1].late


def test_a_question_that_waits_for_a_place_waits_no_longer_than_the_total():
    async def collect():
        requested = Collector(20)
        slow = asyncio.create_task(Collector.ask(requested, hang, 60))
        await asyncio.sleep(0)
        return await requested.ask(answer, 20), await slow

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collector, "socket_limit", lambda: 1)
        (waited, _), took = on_virtual_clock(collect)
    assert waited.late and took <= 20.01


def late_in(row):
    """The row once for each of its answers, with that one late."""
    for field in fields(row):
        value = getattr(row, field.name)
        late = LATE if isinstance(value, Answer) else None
        if isinstance(value, dict) and value:
            late = dict.fromkeys(value, LATE)
        if late:
            yield field.name, replace(row, **{field.name: late})


def all_late(row):
    late = {name: getattr(other, name) for name, other in late_in(row)}
    # The clock was read from an answer.
    late |= {"clock_offset": None} if hasattr(row, "clock_offset") else {}
    return replace(row, **late)


MESH = facts()
PEER = MESH.peers["peer12"]


def spoilt():
    """The facts with one answer late, of the peer, its clusters and their nodes."""
    for name, peer in late_in(PEER):
        yield f"peer {name}", replace(MESH, peers=MESH.peers | {PEER.id: peer})
    for cluster in MESH.clusters.values():
        for name, other in late_in(cluster):
            changed = MESH.clusters | {cluster.id: other}
            yield f"{cluster.id} {name}", replace(MESH, clusters=changed)
        for n, node in enumerate(cluster.nodes):
            for name, other in late_in(node):
                nodes = [*cluster.nodes[:n], other, *cluster.nodes[n + 1 :]]
                changed = {cluster.id: replace(cluster, nodes=tuple(nodes))}
                yield (
                    f"{node.id} {name}",
                    replace(MESH, clusters=MESH.clusters | changed),
                )


SPOILT = dict(spoilt())


@pytest.mark.parametrize("what", SPOILT)
def test_a_late_answer_is_neither_good_nor_bad(what):
    mesh = SPOILT[what]
    found = judge_entries(PeerView.of(mesh, mesh.peers[PEER.id]))
    assert {entry["outcome"] for entry in found} <= {"passed", *UNKNOWN}
    for finding in run_tests(mesh):
        assert finding.verdict.outcome in ("passed", "information")
        answers = finding.evidence.values()
        # These are about the console's own peers, whatever the cluster shows.
        own = ("peers_exist", "mesh_complete", "protocol_recommended")
        if finding.test.code not in own and len(answers) == 1:
            late = any(answer.late for answer in answers)
            good = finding.verdict.outcome == "passed"
            assert not (late and good), finding.test.code
    assert {health_of(one) for one in mesh.clusters.values()} <= {"ok", "unknown"}


def test_when_all_is_late_nothing_is_good_and_each_entry_says_so():
    clusters = {
        one.id: all_late(replace(one, nodes=tuple(map(all_late, one.nodes))))
        for one in MESH.clusters.values()
    }
    mesh = replace(MESH, clusters=clusters, peers={PEER.id: all_late(PEER)})
    found = judge_entries(PeerView.of(mesh, mesh.peers[PEER.id]))
    assert outcome_of(found) == "unknown"
    assert {entry["outcome"] for entry in found} == {"unknown"}
    assert all(TOO_LATE in entry["problem"] for entry in found)
    assert {health_of(one) for one in clusters.values()} == {"unknown"}
    nodes = [one for one in run_tests(mesh) if one.test.scope is Level.NODE]
    passed = [one.test.code for one in nodes if one.verdict.outcome == "passed"]
    assert nodes and not passed
    assert len(TESTS) > 20


@pytest.mark.parametrize(
    "fault", ["tls=stall", "axl=stall", "axl=drip", "axl=throttle", "dns=silent"]
)
def test_a_remote_that_holds_a_check_does_not_hold_it_beyond_its_time(
    peering, mesh_lab, settings, monkeypatch, fault
):
    settings.PEER_CHECK_TIMEOUT = 2
    limits = []
    collect = near.gather_facts

    def within(*args, **options):
        limits.append((options["total"], options["peer_total"]))
        return collect(*args, **options)

    monkeypatch.setattr(near, "gather_facts", within)
    area, _, text = fault.partition("=")
    mesh_lab.clusters[1].set_fault(area, text)
    remote = peering[0].remote_cluster.publisher.name
    if area == "dns":
        Peer.objects.filter(pk=peering[0].pk).update(address=remote)
        peering[0].refresh_from_db()
    outcomes = checks.check_peers([peering[0]])
    assert limits[0][0] <= 2 and limits[0][1] == 2
    assert outcomes[str(peering[0].pk)] in ("unknown", "failed")
    found = entries_of(peering[0])
    affected = found["address" if area == "dns" else "credentials"]
    assert affected["outcome"] == "unknown"


def test_an_empty_success_of_axl_is_a_failed_entry(peering, mesh_lab):
    mesh_lab.clusters[1].set_fault("axl", "empty")
    assert checks.check_peers([peering[0]])[str(peering[0].pk)] == "failed"
    entry = entries_of(peering[0])["axl"]
    assert entry["outcome"] == "failed"
    asked = peering[0].remote_cluster.publisher.name
    assert entry["problem"].startswith(f"{asked} ") and entry["solution"]
