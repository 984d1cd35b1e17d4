"""Control of services on many nodes: in waves, each command once, followed to its end.

Everything that a next attempt must know lies in the steps, so a worker may vanish
between any two lines. Of a command whose answer was lost the effect is read back.
"""

import asyncio
import time
from collections import defaultdict
from typing import Any
from uuid import UUID

import wire
from jobs.models import JobStep
from jobs.run import Run
from peers.connections import address_of
from peers.models import Node
from services.pace import Grant, granted
from services.readings import Reading, database_now, read
from services.signals import services_controlled
from services.verdicts import (
    BACK_OFF,
    Do,
    Settled,
    Verdict,
    failed,
    judge_fresh,
    judge_sent,
    meanwhile,
    refused,
    snapshot,
    waves,
)
from wire import (
    Backoff,
    ControlCenterClient,
    ControlResult,
    NodeAddress,
    WireError,
)

POLL = 5.0
DEADLINE = 60.0
# After this the worker is given back, and the job comes again by itself.
ATTENDED = 60.0
TOLERATED = 0.2
# After a rate fault the job waits by itself, and the other nodes go on.
AT_ONCE_OR_NEVER = Backoff(tries=1)
OPEN = (JobStep.State.PENDING, JobStep.State.RUNNING)
BAD = (JobStep.State.FAILED, JobStep.State.UNKNOWN)
OPERATION_PENDING = -1029

Answer = list[ControlResult] | WireError


class Control:
    """One attempt at a control job."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.action: str = run.arguments["action"]
        self.targets: list[dict[str, str]] = run.arguments["targets"]
        order = list(dict.fromkeys(target["node"] for target in self.targets))
        self.waves = waves(order)
        self.steps: dict[str, JobStep] = {}

    def work(self) -> None:
        """Go on until all is settled, or until the worker should do something else."""
        enough = time.monotonic() + ATTENDED
        while (waiting := self.advance()) is not None:
            if time.monotonic() > enough:
                self.run.park(1)
            if waiting:
                self.pause()
        self.conclude()

    def advance(self) -> bool | None:
        """Do one round with the wave that is under way.

        Returns whether something of it must be waited for; None: nothing is left.
        """
        self.run.check()
        self.steps = self.run.steps()
        wave = self.current_wave()
        if not wave:
            return None
        chosen = [t for t in self.open() if t["node"] in wave]
        nodes = self.nodes(chosen)
        readings = read(nodes.values(), backoff=AT_ONCE_OR_NEVER)
        now = database_now().timestamp() if nodes else 0.0
        verdicts = {
            target["service"]: self.judge(target, readings, now) for target in chosen
        }
        self.carry_out(chosen, verdicts, readings, now)
        return any(isinstance(verdict, Do) for verdict in verdicts.values())

    def open(self) -> list[dict[str, str]]:
        return [t for t in self.targets if self.steps[t["service"]].state in OPEN]

    def current_wave(self) -> list[str]:
        """The first wave with something to do, unless too much failed before it."""
        open_nodes = {target["node"] for target in self.open()}
        for position, wave in enumerate(self.waves):
            if open_nodes.isdisjoint(wave):
                continue
            if position and not self.begun(wave) and self.too_many_failed():
                self.halt()
                return []
            return wave
        return []

    def begun(self, wave: list[str]) -> bool:
        steps = [self.steps[t["service"]] for t in self.targets if t["node"] in wave]
        return any(step.state != JobStep.State.PENDING for step in steps)

    def too_many_failed(self) -> bool:
        over = [step for step in self.steps.values() if step.state not in OPEN]
        bad = [step for step in over if step.state in BAD]
        return len(bad) > TOLERATED * len(over)

    def halt(self) -> None:
        why = "Not tried: more than a fifth of those before it failed."
        self.run.settle(
            {t["service"]: (JobStep.State.SKIPPED, why) for t in self.open()}
        )

    def nodes(self, targets: list[dict[str, str]]) -> dict[UUID, Node]:
        wanted = {target["node"] for target in targets}
        nodes = Node.objects.filter(pk__in=wanted).select_related("cluster")
        return {node.pk: node for node in nodes}

    def judge(
        self, target: dict[str, str], readings: dict[UUID, Reading], now: float
    ) -> Verdict:
        step = self.steps[target["service"]]
        reading = readings.get(UUID(target["node"]))
        if reading is None:
            return failed("The node was removed from the console.")
        status = reading.status_of(target["name"])
        memo = memo_of(step)
        judge = judge_sent if memo.get("sent_at") else judge_fresh
        return judge(self.action, memo, status, reading.error, now)

    def carry_out(
        self,
        targets: list[dict[str, str]],
        verdicts: dict[str, Verdict],
        readings: dict[UUID, Reading],
        now: float,
    ) -> None:
        settled = {k: v for k, v in verdicts.items() if isinstance(v, Settled)}
        self.run.settle({key: (v.state, v.detail) for key, v in settled.items()})
        memos: dict[str, dict[str, Any]] = {}
        details: dict[str, str] = {}
        commands = []
        for target in targets:
            key, verdict = target["service"], verdicts[target["service"]]
            if verdict == Do.COMMAND:
                commands.append(target)
            elif isinstance(verdict, Do):
                memo = self.waiting(target, verdict, readings, now)
                step, reading = self.steps[key], readings[UUID(target["node"])]
                asked = bool((memo_of(step) | memo).get("sent_at"))
                said = meanwhile(asked, reading.status_of(target["name"]))
                if memo or said != step.detail:
                    memos[key], details[key] = memo, said
        self.run.remember(memos, self.doing(targets), details)
        if commands:
            self.command(commands, readings, now)

    def doing(self, targets: list[dict[str, str]]) -> str:
        names = sorted({self.steps[t["service"]].label for t in targets})
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return f"{names[0]}{more}" if names else ""

    def waiting(
        self,
        target: dict[str, str],
        verdict: Do,
        readings: dict[UUID, Reading],
        now: float,
    ) -> dict[str, Any]:
        step = self.steps[target["service"]]
        if verdict == Do.FOLLOW:
            return self.sent(target, readings, now) | {"accepted": True}
        memo = memo_of(step)
        if verdict == Do.BACK_OFF:
            return backed_off(memo, now)
        if memo.get("sent_at"):
            return {}
        return {"sent_at": None, "waiting_since": memo.get("waiting_since", now)}

    def sent(
        self, target: dict[str, str], readings: dict[UUID, Reading], now: float
    ) -> dict[str, Any]:
        """The intent: what the service was, and when we asked for something else."""
        status = readings[UUID(target["node"])].status_of(target["name"])
        memo = memo_of(self.steps[target["service"]])
        return {
            "sent_at": now,
            "accepted": False,
            "before": snapshot(status) if status else {},
            "tries": memo.get("tries", 1) + 1 if memo.get("sent_at") else 1,
            "throttled": memo.get("throttled", 0),
            "retried": False,
        }

    def command(
        self,
        targets: list[dict[str, str]],
        readings: dict[UUID, Reading],
        now: float,
    ) -> None:
        """Commit the intent, send one command per node, and take in the answers."""
        by_node: dict[UUID, list[dict[str, str]]] = defaultdict(list)
        for target in targets:
            by_node[UUID(target["node"])].append(target)
        intents = {t["service"]: self.sent(t, readings, now) for t in targets}
        self.run.remember(intents, self.doing(targets))
        nodes = {pk: readings[pk].node for pk in by_node}
        names = {pk: [t["name"] for t in chosen] for pk, chosen in by_node.items()}
        answers = send(self.action, nodes, names)
        accepted: dict[str, dict[str, Any]] = {}
        ended: dict[str, tuple[str, str]] = {}
        for pk, chosen in by_node.items():
            for target in chosen:
                key = target["service"]
                memo = memo_of(self.steps[key])
                outcome = taken_in(answers[pk], target["name"], memo)
                if isinstance(outcome, Settled):
                    ended[key] = (outcome.state, outcome.detail)
                elif outcome == Do.BACK_OFF:
                    accepted[key] = backed_off(memo, now)
                elif outcome == Do.FOLLOW:
                    accepted[key] = {"accepted": True}
        self.run.remember(accepted)
        self.run.settle(ended)

    def pause(self) -> None:
        """Wait for the next look, but not if the job is cancelled meanwhile."""
        until = time.monotonic() + POLL
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 1.0))
            self.run.check()

    def conclude(self) -> None:
        """End the job with what is true of all targets."""
        services_controlled.send(
            sender=Control,
            nodes={UUID(target["node"]) for target in self.targets},
            names={target["name"] for target in self.targets},
            job=self.run.job,
        )
        steps = list(self.run.steps().values())
        bad = [step for step in steps if step.state in BAD]
        skipped = sum(step.state == JobStep.State.SKIPPED for step in steps)
        if not bad:
            return
        text = f"{len(bad)} of {len(steps)} did not get there"
        text += f"; not tried: {skipped}." if skipped else "."
        if any(step.state == JobStep.State.UNKNOWN for step in bad):
            text += " The outcome of some is not known."
            self.run.needs_attention(f"{text} {causes(bad)}")
        self.run.fail(f"{text} {causes(bad)}")


def causes(steps: list[JobStep]) -> str:
    """The first cause in full, for who sees no more of the job than its error."""
    more = len({step.detail for step in steps}) - 1
    return f"{steps[0].detail} (Others: see the steps.)" if more else steps[0].detail


def memo_of(step: JobStep) -> dict[str, Any]:
    """What is remembered of the target; nothing when the job starts it over."""
    memo: dict[str, Any] = {} if step.state == JobStep.State.PENDING else step.memo
    if memo.get("retried"):
        # Whoever retries wants a command that is read to have had no effect once more.
        return memo | {"accepted": False, "tries": 0}
    return memo


def backed_off(memo: dict[str, Any], now: float) -> dict[str, Any]:
    return {
        "sent_at": None,
        "not_before": now + BACK_OFF,
        "throttled": memo.get("throttled", 0) + 1,
    }


def taken_in(answer: Answer, name: str, memo: dict[str, Any]) -> Do | Settled:
    """Read the node's answer to a command for one service.

    WAIT: the outcome is unknown, the intent stands. BACK_OFF: nothing was done.
    """
    if isinstance(answer, WireError):
        if answer.outcome_unknown:
            return Do.WAIT
        return refused(answer, memo)
    result = next((result for result in answer if result.name == name), None)
    if result is None:
        return Do.WAIT
    if result.ok or result.reason_code == OPERATION_PENDING:
        return Do.FOLLOW
    return failed(f"The node refused: {result.reason} ({result.reason_code})")


def send(
    action: str, nodes: dict[UUID, Node], names: dict[UUID, list[str]]
) -> dict[UUID, Answer]:
    """Send one command to each node."""
    answers: dict[UUID, Answer] = {}
    addresses: dict[UUID, NodeAddress] = {}
    for pk, node in nodes.items():
        try:
            addresses[pk] = address_of(node)
        except WireError as error:
            answers[pk] = error
    with granted(addresses, 1) as grants:
        found = wire.run(_send_all(action, addresses, names, grants))
    return answers | found


async def _send_all(
    action: str,
    addresses: dict[UUID, NodeAddress],
    names: dict[UUID, list[str]],
    grants: dict[UUID, Grant],
) -> dict[UUID, Answer]:
    async def one(pk: UUID) -> Answer:
        await grants[pk].ready()
        try:
            async with ControlCenterClient(
                addresses[pk], limiter=grants[pk], backoff=AT_ONCE_OR_NEVER
            ) as client:
                return await client.control(action, names[pk], deadline=DEADLINE)
        except WireError as error:
            return error

    found = await asyncio.gather(*map(one, addresses))
    return dict(zip(addresses, found, strict=True))
