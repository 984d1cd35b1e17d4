from dataclasses import replace

import pytest

from presence import (
    PresenceCode,
    Stage,
    State,
    own_state,
    prove_by_service,
    restore_state,
)
from tests.presence.conftest import carry
from wire import Code, Secret, Trust, WireError, run_loop


def proven(watcher, watched, before=State.UNAVAILABLE, seconds=30.0):
    return run_loop(
        prove_by_service(watcher, watched, before, deadline=seconds, patience=0.3)
    )


def test_a_state_set_there_arrives_here(canary):
    for home, remote in (("cup1", "cup2"), ("cup2", "cup1")):
        seen = proven(canary(home), canary(remote))
        assert seen.stage is Stage.ARRIVED
        assert seen.latency_ms > 0
        assert seen.error is None


def test_the_state_is_taken_back_and_every_session_ends(canary, lab):
    watched = canary("cup2")
    assert run_loop(own_state(watched)) is State.UNAVAILABLE
    assert proven(canary("cup1"), watched).restored
    assert lab.cluster("cup2").availability.states == {}
    for cluster in lab.clusters:
        service = cluster.presence
        assert not (service.users or service.endpoints or service.subscriptions)


def test_the_state_of_before_is_set_again(canary, lab):
    watched, displayed = canary("cup2"), []
    availability = lab.cluster("cup2").availability
    availability.set = lambda userid, state: (
        displayed.append(state) or type(availability).set(availability, userid, state)
    )
    try:
        assert proven(canary("cup1"), watched, State.AVAILABLE).restored
    finally:
        del availability.set
    assert displayed == ["AWAY", "AVAILABLE"]


def test_a_state_that_a_crash_left_is_taken_back(canary, lab):
    watched = canary("cup2")
    lab.cluster("cup2").availability.set(watched.userid, "AWAY")
    run_loop(restore_state(watched, State.UNAVAILABLE))
    assert run_loop(own_state(watched)) is State.UNAVAILABLE


def test_another_state_than_the_one_of_before_is_set(canary, lab):
    watched = canary("cup2")
    lab.cluster("cup2").availability.set(watched.userid, "AWAY")
    assert proven(canary("cup1"), watched, State.AWAY).seen is State.DND


def test_a_release_without_snapshots_is_proven_all_the_same(canary, lab):
    lab.cluster("cup2").set_fault("presence", "no-snapshot")
    watched = canary("cup2")
    assert run_loop(own_state(watched)) is None
    seen = proven(canary("cup1"), watched, None)
    assert seen.arrived and seen.restored
    assert lab.cluster("cup2").availability.states == {}


def test_answers_in_pidf_only_are_understood(canary, lab):
    lab.cluster("cup1").set_fault("presence", "rich-only")
    assert proven(canary("cup1"), canary("cup2")).arrived


def test_a_user_of_another_domain_is_unknown(canary):
    watched = canary("cup2", domain="elsewhere.example")
    assert proven(canary("cup1"), watched).stage is Stage.UNKNOWN_USER


def test_a_user_who_is_none_at_home_is_named(canary):
    seen = proven(canary("cup1"), canary("cup2", userid="nobody"))
    assert (seen.stage, seen.error.code) == (Stage.NOT_SET, PresenceCode.USER)


def test_a_user_who_was_not_carried_is_unknown(canary, lab):
    lab.cluster("cup1").set_fault("agent", "frozen")
    lab.cluster("cup2").add_users(1)
    userid = lab.cluster("cup2").users()[-1]
    cluster = lab.cluster("cup2")
    new = next(
        user
        for user in [userid, *cluster.users()]
        if lab.cluster("cup1").availability.home_of_copy(user) is None
    )
    home = cluster.availability.home_node(new)
    node = replace(
        canary("cup2").node,
        name=home.name,
        address=home.address,
        trust=Trust(fingerprint=home.cup_identity.fingerprint),
    )
    watched = canary("cup2", userid=new, node=node)
    assert proven(canary("cup1"), watched).stage is Stage.UNKNOWN_USER


def test_one_sided_peering_gives_no_state(canary, lab):
    lab.cluster("cup2").remove_peer(
        lab.cluster("cup2").peer_to(lab.cluster("cup1")).address
    )
    try:
        seen = proven(canary("cup1"), canary("cup2"))
        assert seen.stage is Stage.SUBSCRIBED
        assert seen.restored
    finally:
        lab.cluster("cup2").enter_peer(lab.cluster("cup1"))
        carry(lab)


def test_a_path_that_broke_shows_the_old_state(canary, lab):
    watched = canary("cup2")
    lab.cluster("cup1").availability.carried[watched.userid] = "AVAILABLE"
    lab.cluster("cup1").set_fault("presence", "frozen")
    seen = proven(canary("cup1"), watched)
    assert (seen.stage, seen.seen) == (Stage.OLD_STATE, State.AVAILABLE)


def test_a_blocked_watcher_sees_an_unavailable_user(canary, lab):
    lab.cluster("cup2").set_fault("presence", "blocked")
    seen = proven(canary("cup1"), canary("cup2"))
    assert seen.stage is Stage.BLOCKED


def test_a_stopped_proxy_there_keeps_the_state_from_being_set(canary, lab):
    proxy = lab.cluster("cup2").publisher.sip_proxy
    watcher, watched = canary("cup1"), canary("cup2")
    proxy.set("Stopped")
    try:
        seen = proven(watcher, watched)
    finally:
        proxy.set("Started")
    assert seen.stage is Stage.NOT_SET
    assert seen.error.code in (Code.CLOSED, Code.TLS, Code.REFUSED)


def test_a_wrong_password_is_named(canary):
    watcher = canary("cup1")
    watcher = replace(watcher, node=replace(watcher.node, password=Secret("wrong")))
    seen = proven(watcher, canary("cup2"))
    assert (seen.stage, seen.error.code) == (
        Stage.NOT_SIGNED_IN,
        PresenceCode.SIGN_IN,
    )


@pytest.mark.parametrize(
    ("fault", "stage", "code"),
    [
        ("full", Stage.SIGNED_IN, PresenceCode.FULL),
        ("no-role", Stage.NOT_SIGNED_IN, PresenceCode.ACCOUNT),
        ("html-200", Stage.NOT_SIGNED_IN, PresenceCode.UNRECOGNISED),
        ("html-503", Stage.NOT_SIGNED_IN, Code.HTTP),
        ("redirect", Stage.NOT_SIGNED_IN, Code.REDIRECT),
    ],
)
def test_what_a_service_refuses_has_a_code(canary, lab, fault, stage, code):
    lab.cluster("cup1").set_fault("presence", fault)
    seen = proven(canary("cup1"), canary("cup2"))
    assert (seen.stage, seen.error.code) == (stage, code)


def test_a_service_that_never_answers_ends_at_the_deadline(canary, lab):
    lab.cluster("cup1").set_fault("presence", "stall")
    seen = proven(canary("cup1"), canary("cup2"), seconds=1.0)
    assert (seen.stage, seen.error.code) == (Stage.NOT_SIGNED_IN, Code.TIMEOUT)


def test_nothing_is_sent_to_another_certificate(canary, lab):
    watcher = canary("cup1")
    publisher = lab.cluster("cup1").publisher
    before = len(publisher.calls)
    node = replace(watcher.node, trust=Trust(fingerprint=publisher.fingerprint))
    seen = proven(replace(watcher, node=node), canary("cup2"))
    assert seen.error.code is Code.CERTIFICATE_CHANGED
    requested = list(publisher.calls)[before:]
    assert not [call for call in requested if call.path.startswith("/presence")]


def test_a_user_at_the_wrong_node_is_not_known(canary, lab):
    sub = lab.cluster("cup1").subscribers[0]
    watcher = canary("cup1")
    node = replace(
        watcher.node,
        address=sub.address,
        trust=Trust(fingerprint=sub.cup_identity.fingerprint),
    )
    with pytest.raises(WireError) as raised:
        run_loop(own_state(replace(watcher, node=node)))
    assert raised.value.code is PresenceCode.USER
