"""Whatever is missing, negative, in another case or of no known version."""

from dataclasses import fields, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics.answers import UNASKED, Answer
from diagnostics.evidence import finding_details
from diagnostics.facts import (
    HaNode,
    ImAddress,
    ProcessNode,
    Subcluster,
    SyncAgentSettings,
    UserFaults,
)
from diagnostics.judge.sections import judge_facts
from diagnostics.judge.verdict import Outcome
from tests.diagnostics.healthy import (
    NOTHING,
    certificate,
    cluster,
    entry,
    facts,
    failure,
    node,
    peer,
)
from wire import Code, Resolution, ServiceStatus, SipReply, platforms

# Facts are long when hypothesis puts them into words for a slow example.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

# What AXL itself said is an answer: it is up, whatever became of the question.
SPOKEN = {"axl", "node_axl"}
# These also rest on what the console holds.
HELD = {"peers_exist", "mesh_complete", "protocol_match", "protocol_recommended"}
HELD |= {"mask"}
# The handshake is enough, whether AXL was asked or not; users, where no table is read.
EITHER = {"certificate", "node_certificate", "provisioned", "reverse_peer"}

codes = st.sampled_from([*(code.value for code in Code), "unexpected", "secret"])
unknown = st.one_of(
    st.just(UNASKED), st.builds(failure, codes), st.builds(failure, codes, st.just(""))
)
words = st.sampled_from(
    ["", " ", "X", "-1", "99", "None", "ÄÖ", "t", "T", "TCP", "tls"]
)
numbers = st.integers(-5, 30)


# However long it takes on a machine with much to do.
unhurried = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def answers(values):
    return st.one_of(unknown, st.builds(Answer, values, st.none(), numbers))


def many(values):
    return st.lists(values, max_size=3).map(tuple)


def names(n):
    some = [f"cup{n}-1.example.com", f"CUP{n}-2.EXAMPLE.COM", "10.0.1.1", "cup2-1"]
    return st.one_of(words, st.sampled_from(some))


def services():
    profile = platforms.profile_of("cup8")
    offered = [profile.sync_agent, *profile.services.values()]
    called = st.one_of(
        st.sampled_from(offered), st.sampled_from([n.upper() for n in offered])
    )
    states = st.sampled_from(["started", "STARTED", "stopped", "", "unknown", "-1"])
    reasons = st.sampled_from([None, -1, -1068, 0])
    return many(st.builds(ServiceStatus, called, states, reasons, words))


certificates = st.builds(
    certificate,
    st.integers(-900, 900),
    words,
    st.sampled_from(["", "TLSv1", "TLSV1.3"]),
)
replies = st.builds(
    SipReply, st.booleans(), st.sampled_from([None, -1, 200, 503]), words, numbers
)


def nodes(n, m):
    spoilt = {
        "connect": answers(numbers.map(float)),
        "certificate": answers(certificates),
        "axl": answers(numbers),
        "services": answers(services()),
        "sip": st.dictionaries(st.sampled_from(["UDP", "TLS"]), answers(replies)),
        "forward": answers(many(words)),
        "backward": answers(many(words)),
        "certificate_names": st.dictionaries(words, answers(many(words))),
        "clock_offset": st.one_of(st.none(), st.floats(-1e6, 1e6)),
        "confirmed": words,
        "name": names(n),
    }
    made = st.fixed_dictionaries({}, optional=spoilt)
    return made.map(lambda found: node(n, m, m == 1, **found))


def clusters(n, other):
    entries = st.builds(
        entry,
        names(other),
        protocol=words,
        username=words,
        external_phone_number_mask=words,
    )
    texts = answers(many(words))
    groups = st.builds(Subcluster, words, words, st.booleans())
    spoilt = {
        "generation": st.sampled_from([None, "", "cup7", "IMP", "cup99", "imp"]),
        "version": answers(st.sampled_from(["", "x", "99.9", "-1", "8.6.5", "9.1"])),
        "nodes": st.one_of(st.just(()), st.tuples(nodes(n, 1), nodes(n, 2))),
        "process_nodes": answers(many(st.builds(ProcessNode, names(n), st.booleans()))),
        "users": answers(st.dictionaries(names(n), st.integers(-5, 5), max_size=3)),
        "peers": answers(many(entries)),
        "unassigned": answers(numbers),
        "sync_agent": answers(st.builds(SyncAgentSettings, st.booleans(), words)),
        "subclusters": answers(many(groups)),
        "ha_nodes": answers(many(st.builds(HaNode, names(n), words, words))),
        "user_faults": st.builds(UserFaults, texts, texts, texts, texts, texts),
        "domain": words,
        "address_scheme": st.sampled_from(["", "user_id", "directory_uri"]),
        "im_addresses": answers(
            many(st.builds(ImAddress, words, words, words, names(n)))
        ),
    }
    made = st.fixed_dictionaries({}, optional=spoilt)
    return made.map(lambda found: cluster(n, other, **found))


def peers(n, other):
    spoilt = {
        "remote": st.sampled_from([None, f"cluster{other}", "gone"]),
        "target": st.sampled_from([None, f"node{other}1", "gone"]),
        "address": names(other),
        "protocol": words,
        "mask": words,
        "resolution": answers(st.builds(Resolution, many(words))),
        "connect": answers(numbers.map(float)),
        "certificate": answers(certificates),
        "axl": answers(numbers),
        "sip": answers(replies),
    }
    made = st.fixed_dictionaries({}, optional=spoilt)
    return made.map(lambda found: peer(n, other, **found))


meshes = st.builds(facts, clusters(1, 2), clusters(2, 1), peers(1, 2), peers(2, 1))


@unhurried
@given(meshes)
def test_no_facts_are_an_exception(mesh):
    for finding in judge_facts(mesh):
        assert finding.verdict.outcome in Outcome
        assert finding_details(finding)["answers"] is not None


@unhurried
@given(meshes)
def test_what_is_not_known_never_passes(mesh):
    for finding in judge_facts(mesh):
        if finding.verdict.outcome is not Outcome.PASSED or finding.test.code in HELD:
            continue
        evidence = [one.known for one in finding.evidence.values()]
        enough = any if finding.test.code in EITHER else all
        spoken = any(one.failure for one in finding.evidence.values())
        assert enough(evidence) or (finding.test.code in SPOKEN and spoken), finding


def spoilt_cluster(name):
    """A cluster of which one fact was not asked."""
    made = cluster(2, 1)
    value = UserFaults() if name == "user_faults" else UNASKED
    return replace(made, **{name: value})


def test_each_fact_that_is_lost_costs_the_tests_that_need_it_their_pass():
    requested = {f.name for f in fields(cluster(2, 1)) if f.default is UNASKED}
    # The vendor's own rows are shown as they are; no test of ours rests on them.
    requested -= {"page_tests"}
    for name in [*requested, "user_faults"]:
        before = passed(facts())
        lost = before - passed(facts(two=spoilt_cluster(name)))
        assert lost, name


def passed(mesh):
    return {
        (f.test.code, f.cluster and f.cluster.id, f.node and f.node.id)
        for f in judge_facts(mesh)
        if f.verdict.outcome is Outcome.PASSED
    }


def test_a_negative_count_is_not_a_number_of_users():
    minus = cluster(1, 2, users=Answer({"cup1-1.example.com": -10}))
    reported = {f.test.code: f.verdict.outcome for f in judge_facts(facts(one=minus))}
    assert reported["associated_users"] == Outcome.INFORMATION


def test_nothing_found_is_something_known():
    assert NOTHING.known
