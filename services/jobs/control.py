"""Control services on many nodes: in waves, each command once, followed to its end.

Everything that a next attempt must know lies in the steps, so a worker may vanish
between any two lines. Of a command whose answer was lost the effect is read back.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.urls import reverse

from accounts import audit
from accounts.audit import Actor
from accounts.roles import Role
from clusters.models import Node
from clusters.requests import go_near, is_near
from jobs.kind import JobKind, StepKind
from jobs.models import Job, JobStep
from jobs.run import Run
from services.commands import AT_ONCE_OR_NEVER, classify_answer, send_command
from services.decisions import (
    BACK_OFF,
    Do,
    Settled,
    Verdict,
    judge_fresh,
    judge_sent,
    settled_failed,
    split_waves,
    status_snapshot,
    waiting_sentence,
)
from services.models import Service, is_agent
from services.poll import ServiceReading, database_now, read_services
from services.requests import ACTIONS, ControlRefused, shared_queue
from services.signals import services_controlled

POLL = 5.0
# After this the worker is given back, and the job comes again by itself.
ATTENDED = 60.0
TOLERATED = 0.2
OPEN = (JobStep.State.PENDING, JobStep.State.RUNNING)
BAD = (JobStep.State.FAILED, JobStep.State.UNKNOWN)


class ControlServices(JobKind):
    name = "control-services"
    label = "Control services"
    role = Role.OPERATOR
    audited = True

    control = StepKind("{action} {service} on {node}")

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.action: str = run.arguments["action"]
        self.targets: list[dict[str, str]] = run.arguments["targets"]
        order = list(dict.fromkeys(target["node"] for target in self.targets))
        self.waves = split_waves(order)
        self.steps: dict[str, JobStep] = {}

    @classmethod
    def submit(cls, action: str, services: Sequence[Service], actor: Actor) -> Job:
        """Submit the job that brings these services to the state the action names.

        Raises:
            Refused: a service must not be stopped.
            jobs.locks.Busy: a job for one of the services is not finished.
        """
        for service in services:
            if not service.allows(action):
                raise ControlRefused(f"{service} must not be stopped or restarted.")
        with transaction.atomic():
            job = Job.objects.submit(
                cls,
                [cls.step_of(action, one) for one in services],
                target=target_of(services),
                label=label_of(action, services),
                clusters={one.node.cluster_id for one in services},
                arguments={
                    "action": action,
                    "targets": [
                        {
                            "service": str(one.pk),
                            "node": str(one.node_id),
                            "name": one.name,
                        }
                        for one in services
                    ],
                },
                locks=[one.lock for one in services],
                user=actor.user,
                address=actor.address,
                queue=shared_queue([one.node for one in services]),
            )
            named = {"services": [None, [str(one) for one in services]]}
            audit.append_entry(actor, f"{action} services", job, named)
        return job

    @classmethod
    def step_of(cls, action: str, service: Service) -> tuple[str, str]:
        node = f"{service.node.name} ({service.node.cluster})"
        step = cls.control.keyed(service.pk)
        return step.planned(action=ACTIONS[action], service=service.name, node=node)

    @classmethod
    def page_of(cls, job: Job) -> str:
        """Where the services of many nodes are watched."""
        names = {target["name"] for target in job.arguments["targets"]}
        agents = all(map(is_agent, names))
        return reverse("services:agents" if agents else "services:grid")

    def work(self) -> None:
        """Go on until all is settled, or until the worker should do something else."""
        for _ in self.run.rounds(pause=0, attended=ATTENDED, later=1):
            waiting = self.advance()
            if waiting is None:
                break
            if waiting:
                self.run.pause(POLL)
        self.conclude()

    def advance(self) -> bool | None:
        """Do one round with the wave that is under way.

        Returns whether something of it must be waited for; None: nothing is left.
        """
        self.steps = self.run.steps()
        wave = self.current_wave()
        if not wave:
            return None
        chosen, nodes = self.chosen_here(wave)
        readings = read_services(nodes.values(), backoff=AT_ONCE_OR_NEVER)
        now = database_now().timestamp() if nodes else 0.0
        verdicts = {
            target["service"]: self.judge(target, readings, now) for target in chosen
        }
        self.carry_out(chosen, verdicts, readings, now)
        return any(isinstance(verdict, Do) for verdict in verdicts.values())

    def chosen_here(
        self, wave: Sequence[str]
    ) -> tuple[list[dict[str, str]], dict[UUID, Node]]:
        """What of the wave is open and reached from here, with its nodes.

        Raises:
            jobs.run.Parked: all of it is for the workers of another site.
        """
        chosen = [t for t in self.open() if t["node"] in wave]
        nodes = self.nodes(chosen)
        far = {str(pk) for pk, node in nodes.items() if not is_near(node.cluster)}
        here = [target for target in chosen if target["node"] not in far]
        if far and not here:
            go_near(self.run, nodes[UUID(min(far))].cluster)
        return here, {pk: node for pk, node in nodes.items() if str(pk) not in far}

    def open(self) -> list[dict[str, str]]:
        return [t for t in self.targets if self.steps[t["service"]].state in OPEN]

    def current_wave(self) -> list[str]:
        """The first wave with something to do, unless too much failed before it."""
        open_nodes = {target["node"] for target in self.open()}
        for position, wave in enumerate(self.waves):
            if open_nodes.isdisjoint(wave):
                continue
            if position and not self.has_started(wave) and self.too_many_failed():
                self.halt()
                return []
            return wave
        return []

    def has_started(self, wave: list[str]) -> bool:
        steps = [self.steps[t["service"]] for t in self.targets if t["node"] in wave]
        return any(step.state != JobStep.State.PENDING for step in steps)

    def too_many_failed(self) -> bool:
        over = [step for step in self.steps.values() if step.state not in OPEN]
        bad = [step for step in over if step.state in BAD]
        return len(bad) > TOLERATED * len(over)

    def halt(self) -> None:
        why = "Not tried: more than a fifth of those before it failed."
        self.run.end_steps(
            {t["service"]: (JobStep.State.SKIPPED, why) for t in self.open()}
        )

    def nodes(self, targets: list[dict[str, str]]) -> dict[UUID, Node]:
        targeted = {target["node"] for target in targets}
        nodes = Node.objects.filter(pk__in=targeted).select_related("cluster")
        return {node.pk: node for node in nodes}

    def judge(
        self, target: dict[str, str], readings: dict[UUID, ServiceReading], now: float
    ) -> Verdict:
        step = self.steps[target["service"]]
        reading = readings.get(UUID(target["node"]))
        if reading is None:
            return settled_failed("The node was removed from the console.")
        status = reading.status_of(target["name"])
        memo = memo_of(step)
        judge = judge_sent if memo.get("sent_at") else judge_fresh
        return judge(self.action, memo, status, reading.error, now)

    def carry_out(
        self,
        targets: list[dict[str, str]],
        verdicts: dict[str, Verdict],
        readings: dict[UUID, ServiceReading],
        now: float,
    ) -> None:
        settled = {k: v for k, v in verdicts.items() if isinstance(v, Settled)}
        self.run.end_steps({key: (v.state, v.detail) for key, v in settled.items()})
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
                was_sent = bool((memo_of(step) | memo).get("sent_at"))
                sentence = waiting_sentence(was_sent, reading.status_of(target["name"]))
                if memo or sentence != step.detail:
                    memos[key], details[key] = memo, sentence
        self.run.begin_steps(memos, self.doing(targets), details)
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
        readings: dict[UUID, ServiceReading],
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
        self, target: dict[str, str], readings: dict[UUID, ServiceReading], now: float
    ) -> dict[str, Any]:
        """The intent: what the service was, and when we asked for something else."""
        status = readings[UUID(target["node"])].status_of(target["name"])
        memo = memo_of(self.steps[target["service"]])
        return {
            "sent_at": now,
            "accepted": False,
            "before": status_snapshot(status) if status else {},
            "tries": memo.get("tries", 1) + 1 if memo.get("sent_at") else 1,
            "throttled": memo.get("throttled", 0),
            "retried": False,
        }

    def command(
        self,
        targets: list[dict[str, str]],
        readings: dict[UUID, ServiceReading],
        now: float,
    ) -> None:
        """Commit the intent, send one command per node, and take in the answers."""
        by_node: dict[UUID, list[dict[str, str]]] = defaultdict(list)
        for target in targets:
            by_node[UUID(target["node"])].append(target)
        intents = {t["service"]: self.sent(t, readings, now) for t in targets}
        # To read took its time; what follows cannot be taken back.
        self.run.raise_if_cancelled()
        self.run.begin_steps(intents, self.doing(targets))
        nodes = {pk: readings[pk].node for pk in by_node}
        names = {pk: [t["name"] for t in chosen] for pk, chosen in by_node.items()}
        answers = send_command(self.action, nodes, names)
        accepted: dict[str, dict[str, Any]] = {}
        ended: dict[str, tuple[str, str]] = {}
        for pk, chosen in by_node.items():
            for target in chosen:
                key = target["service"]
                memo = memo_of(self.steps[key])
                outcome = classify_answer(answers[pk], target["name"], memo)
                if isinstance(outcome, Settled):
                    ended[key] = (outcome.state, outcome.detail)
                elif outcome == Do.BACK_OFF:
                    accepted[key] = backed_off(memo, now)
                elif outcome == Do.FOLLOW:
                    accepted[key] = {"accepted": True}
        self.run.begin_steps(accepted)
        self.run.end_steps(ended)

    def conclude(self) -> None:
        """End the job with what is true of all targets."""
        services_controlled.send(
            sender=ControlServices,
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
            self.run.needs_attention(f"{text} {first_cause(bad)}")
        self.run.fail(f"{text} {first_cause(bad)}")


def first_cause(steps: list[JobStep]) -> str:
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


def label_of(action: str, services: Sequence[Service]) -> str:
    if len(services) == 1:
        return f"{services[0]}: {action}"
    nodes = list(dict.fromkeys(service.node.name for service in services))
    where = nodes[0] if len(nodes) == 1 else f"{len(nodes)} nodes"
    names = {service.name for service in services}
    what = names.pop() if len(names) == 1 else f"{len(services)} services"
    return f"on {where}: {action} {what}"


def target_of(services: Sequence[Service]) -> Service | Node | None:
    if len(services) == 1:
        return services[0]
    nodes = {service.node_id for service in services}
    return services[0].node if len(nodes) == 1 else None
