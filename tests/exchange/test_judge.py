"""Who trusts whom, by pure functions: unknown is never good, nor bad."""

from datetime import UTC, datetime, timedelta

import pytest

from exchange.judge import (
    FRESH,
    Held,
    Shelf,
    Sum,
    TrustNode,
    TrustOutcome,
    TrustState,
    TrustStore,
    checks_of,
    outcome_of,
    state_of,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def held(number, name="a", days=400, key="", signer="", issuer=""):
    return Held(
        number,
        f"{number:064}",
        f"CN={name}",
        issuer or f"CN={name}",
        name,
        NOW + timedelta(days=days),
        key or f"key{number}",
        signer,
    )


def shelf(*those):
    return Shelf({one.id: one for one in those})


def view(name, identities, trusts=None, at=NOW, by="rest", xmpp=True):
    lists = {
        service: TrustStore(frozenset(ids)) for service, ids in (trusts or {}).items()
    }
    return TrustNode(name, name, "c", identities, lists, by, at, xmpp, "no account")


NEW, OLD = held(1, "node"), held(2, "NODE")
OTHER = held(3, "other")
ALL = shelf(NEW, OLD, OTHER)


@pytest.mark.parametrize(
    ("certificate", "store", "state"),
    [
        (NEW, TrustStore(frozenset({1, 3})), TrustState.TRUSTED),
        (NEW, TrustStore(frozenset({1, 2})), TrustState.TRUSTED),
        (NEW, TrustStore(frozenset({2, 3})), TrustState.OLD),
        (NEW, TrustStore(frozenset({3})), TrustState.MISSING),
        (NEW, TrustStore(), TrustState.MISSING),
        (NEW, TrustStore(frozenset({2, 3}), whole=False), TrustState.UNKNOWN),
        (NEW, TrustStore(frozenset({1}), whole=False), TrustState.TRUSTED),
        (NEW, None, TrustState.UNKNOWN),
        (None, TrustStore(frozenset({1})), TrustState.UNKNOWN),
        (None, None, TrustState.UNKNOWN),
    ],
)
def test_state(certificate, store, state):
    assert state_of(certificate, store, ALL) is state


def test_a_certificate_without_a_name_has_no_namesake():
    one, other = held(1, ""), held(2, "")
    store = TrustStore(frozenset({2}))
    assert state_of(one, store, shelf(one, other)) is TrustState.MISSING


ROOT = held(10, "root", key="root")
MIDDLE = held(11, "middle", key="middle", signer="root", issuer="CN=root")
LEAF = held(12, "leaf", signer="middle", issuer="CN=middle")
FALSE = held(13, "middle", key="false")


@pytest.mark.parametrize(
    ("trusted", "state"),
    [
        ({11}, TrustState.TRUSTED),
        ({10}, TrustState.TRUSTED),
        ({13}, TrustState.MISSING),
        (set(), TrustState.MISSING),
    ],
)
def test_an_authority_vouches_for_what_its_key_signed(trusted, state):
    known = shelf(ROOT, MIDDLE, LEAF, FALSE)
    assert state_of(LEAF, TrustStore(frozenset(trusted)), known) is state


def test_authorities_that_sign_each_other_end():
    one = held(1, "a", key="a", signer="b", issuer="CN=b")
    two = held(2, "b", key="b", signer="a", issuer="CN=a")
    assert (
        state_of(one, TrustStore(frozenset({9})), shelf(one, two)) is TrustState.MISSING
    )


@pytest.mark.parametrize(
    ("state", "days", "outcome"),
    [
        (TrustState.TRUSTED, 31, TrustOutcome.PASSED),
        (TrustState.TRUSTED, 30, TrustOutcome.WARNING),
        (TrustState.TRUSTED, 0, TrustOutcome.WARNING),
        (TrustState.TRUSTED, -1, TrustOutcome.FAILED),
        (TrustState.MISSING, 400, TrustOutcome.FAILED),
        (TrustState.OLD, 400, TrustOutcome.FAILED),
        (TrustState.UNKNOWN, 400, TrustOutcome.UNKNOWN),
        (TrustState.UNKNOWN, None, TrustOutcome.UNKNOWN),
        (TrustState.UNKNOWN, 3, TrustOutcome.WARNING),
        (TrustState.UNKNOWN, -3, TrustOutcome.FAILED),
    ],
)
def test_outcome(state, days, outcome):
    assert outcome_of(state, days) is outcome


def summed(home, *remote):
    return Sum(tuple(checks_of(home, remote, ALL, NOW)))


def test_what_was_read_too_long_ago_is_not_known():
    trusts = {"tomcat": {1}}
    good = summed(view("h", {}, trusts), view("r", {"tomcat": NEW}))
    assert (good.state, good.outcome, good.days) == (
        TrustState.TRUSTED,
        TrustOutcome.PASSED,
        400,
    )
    late = NOW - FRESH - timedelta(seconds=1)
    stale = summed(view("h", {}, trusts, late), view("r", {"tomcat": NEW}))
    assert (stale.state, stale.days) == (TrustState.UNKNOWN, 400)
    stale = summed(view("h", {}, trusts), view("r", {"tomcat": NEW}, at=late))
    assert (stale.state, stale.days) == (TrustState.UNKNOWN, None)
    assert (
        summed(view("h", {}, trusts), view("r", {}, at=None)).state
        is TrustState.UNKNOWN
    )


def test_a_handshake_leaves_xmpp_unknown_where_the_release_has_it():
    presents = {"tomcat": NEW, "cup": NEW}
    trusts = {"tomcat": {1}, "cup": {1}, "cup-xmpp": {1}}
    modern = summed(view("h", {}, trusts), view("r", presents, by="tls"))
    assert modern.state is TrustState.UNKNOWN
    old = summed(view("h", {}, trusts), view("r", presents, by="tls", xmpp=False))
    assert old.state is TrustState.TRUSTED


def test_the_worst_of_several_is_said():
    home = view("h", {}, {"tomcat": {1}, "cup": {2}})
    found = summed(home, view("r", {"tomcat": NEW, "cup": NEW, "cup-xmpp": OTHER}))
    assert [one.state for one in found.checks] == ["trusted", "old", "unknown"]
    assert (found.state, found.outcome) == (TrustState.OLD, TrustOutcome.FAILED)
    assert len(found.wrong) == 1


def test_nothing_to_judge_is_unknown():
    assert (Sum(()).state, Sum(()).outcome) == (
        TrustState.UNKNOWN,
        TrustOutcome.UNKNOWN,
    )
