import pytest

from services import decisions
from services.decisions import (
    Do,
    Settled,
    judge_fresh,
    judge_sent,
    split_waves,
)
from wire import Code, ServiceStatus, WireError

NAME = "Cisco Intercluster Sync Agent"


def seen(status, start_time="Mon", up_time=None):
    return ServiceStatus(NAME, status, start_time=start_time, up_time=up_time)


def sent(before, accepted=True, tries=1):
    before = decisions.status_snapshot(before)
    return {"sent_at": 100.0, "before": before, "accepted": accepted, "tries": tries}


def state_of(verdict):
    assert isinstance(verdict, Settled)
    return verdict.state


@pytest.mark.parametrize(
    ("action", "status", "verdict"),
    [
        ("start", "stopped", Do.COMMAND),
        ("start", "unknown", Do.COMMAND),
        ("start", "starting", Do.FOLLOW),
        ("start", "stopping", Do.WAIT),
        ("stop", "started", Do.COMMAND),
        ("stop", "stopping", Do.FOLLOW),
        ("stop", "starting", Do.WAIT),
        ("restart", "started", Do.COMMAND),
        ("restart", "stopped", Do.COMMAND),
        ("restart", "starting", Do.WAIT),
    ],
)
def test_the_wanted_state_is_compared_before_a_command(action, status, verdict):
    assert judge_fresh(action, {}, seen(status), None, 100.0) == verdict


@pytest.mark.parametrize(
    ("action", "status"), [("start", "started"), ("stop", "stopped")]
)
def test_what_is_so_already_is_done(action, status):
    assert state_of(judge_fresh(action, {}, seen(status), None, 100.0)) == "done"


def test_a_node_that_does_not_answer_gets_no_command():
    verdict = judge_fresh("start", {}, None, WireError(Code.TIMEOUT), 100.0)
    assert state_of(verdict) == "failed"


def test_a_rate_fault_is_waited_out_but_not_for_ever():
    fault = WireError(Code.THROTTLED)
    assert judge_fresh("start", {}, None, fault, 100.0) == Do.BACK_OFF
    memo = {"throttled": decisions.MAX_THROTTLED}
    assert state_of(judge_fresh("start", memo, None, fault, 100.0)) == "failed"


def test_nothing_is_asked_during_a_back_off():
    memo = {"not_before": 130.0}
    assert judge_fresh("start", memo, seen("stopped"), None, 110.0) == Do.WAIT
    assert judge_fresh("start", memo, seen("stopped"), None, 131.0) == Do.COMMAND


def test_a_service_that_stays_between_two_states_is_given_up():
    memo = {"waiting_since": 100.0}
    late = 100.0 + decisions.SETTLE_TIMEOUT + 1
    assert state_of(judge_fresh("stop", memo, seen("starting"), None, late)) == "failed"


def test_a_restart_is_done_only_with_a_new_start_time():
    memo = sent(seen("started", "Mon", 500))
    same, new = seen("started", "Mon", 510), seen("started", "Tue", 2)
    assert judge_sent("restart", memo, same, None, 105.0) == Do.WAIT
    assert state_of(judge_sent("restart", memo, new, None, 105.0)) == "done"


def test_without_start_times_the_up_time_tells_a_restart():
    memo = sent(seen("started", "", 500))
    longer, shorter = seen("started", "", 510), seen("started", "", 2)
    assert judge_sent("restart", memo, longer, None, 105.0) == Do.WAIT
    assert state_of(judge_sent("restart", memo, shorter, None, 105.0)) == "done"


def test_a_lost_answer_is_read_back_before_the_command_is_repeated():
    memo = sent(seen("stopped"), accepted=False)
    soon, later = 101.0, 100.0 + decisions.GRACE + 1
    assert judge_sent("start", memo, seen("stopped"), None, soon) == Do.WAIT
    assert judge_sent("start", memo, seen("starting"), None, later) == Do.WAIT
    assert state_of(judge_sent("start", memo, seen("started"), None, later)) == "done"
    assert judge_sent("start", memo, seen("stopped"), None, later) == Do.COMMAND


def test_an_accepted_command_is_never_repeated():
    memo = sent(seen("stopped"))
    waiting = judge_sent("start", memo, seen("stopped"), None, 160.0)
    assert waiting == Do.WAIT


def test_a_command_is_not_repeated_without_end():
    memo = sent(seen("stopped"), accepted=False, tries=decisions.MAX_TRIES)
    late = 100.0 + decisions.GRACE + 1
    assert state_of(judge_sent("start", memo, seen("stopped"), None, late)) == "failed"


def test_starting_for_ever_ends_as_a_failure_that_says_so():
    late = 100.0 + decisions.SETTLE_TIMEOUT + 1
    verdict = judge_sent("start", sent(seen("stopped")), seen("starting"), None, late)
    assert state_of(verdict) == "failed"
    assert "starting" in verdict.detail and "3 minutes" in verdict.detail


def test_a_node_that_falls_silent_after_a_command_leaves_the_outcome_unknown():
    memo, silence = sent(seen("stopped")), WireError(Code.TIMEOUT)
    late = 100.0 + decisions.SETTLE_TIMEOUT + 1
    assert judge_sent("start", memo, None, silence, 150.0) == Do.WAIT
    assert state_of(judge_sent("start", memo, None, silence, late)) == "unknown"


@pytest.mark.parametrize(
    ("nodes", "sizes"),
    [(0, []), (1, [1]), (2, [1, 1]), (12, [1, 2, 9]), (240, [1, 24, 215])],
)
def test_waves_are_one_a_tenth_and_the_rest(nodes, sizes):
    split = split_waves(list(range(nodes)))
    assert [len(wave) for wave in split] == sizes
    assert [node for wave in split for node in wave] == list(range(nodes))


@pytest.mark.parametrize("action", ["start", "stop", "restart"])
def test_a_service_that_the_node_does_not_have_gets_no_command(action):
    verdict = judge_fresh(action, {}, None, None, 100.0)
    assert state_of(verdict) == "failed"
    assert verdict.detail == decisions.NO_SUCH_SERVICE


@pytest.mark.parametrize(("now", "done"), [("started", True), ("stopped", False)])
def test_a_service_that_was_stopped_has_restarted_once_it_runs(now, done):
    memo = sent(seen("stopped", "Mon", 500))
    verdict = judge_sent("restart", memo, seen(now, "Mon", 510), None, 105.0)
    assert isinstance(verdict, Settled) is done


@pytest.mark.parametrize(("before", "after"), [(None, 2), (500, None), (None, None)])
def test_without_any_time_to_compare_no_restart_is_believed(before, after):
    memo, now = sent(seen("started", "", before)), seen("started", "", after)
    late = 100.0 + decisions.SETTLE_TIMEOUT + 1
    assert judge_sent("restart", memo, now, None, 105.0) == Do.WAIT
    assert state_of(judge_sent("restart", memo, now, None, late)) == "failed"
