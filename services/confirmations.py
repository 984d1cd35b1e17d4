"""What a person is about to do: shown once, signed, and then done as shown."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core import signing

from services.decisions import GOAL
from services.impact import effects_of
from services.models import Service
from services.requests import ACTIONS

# A plan that nobody confirmed in this time is shown anew.
VALID_FOR = 300
FORBIDDEN = "Left out: the platform forbids it."


class Expired(Exception):
    """The confirmation is too old, or was made for somebody else."""


@dataclass(frozen=True)
class PlanLine:
    """One service of a plan, and what would be done with it."""

    service: Service
    what: str
    included: bool


@dataclass(frozen=True)
class ControlPlan:
    """An action on some services, with what will be done where."""

    action: str
    lines: list[PlanLine]

    @property
    def verb(self) -> str:
        return ACTIONS[self.action]

    @property
    def services(self) -> list[Service]:
        return [line.service for line in self.lines if line.included]

    @property
    def left_out(self) -> int:
        return len(self.lines) - len(self.services)

    @property
    def nodes(self) -> int:
        return len({service.node_id for service in self.services})

    @property
    def effects(self) -> list[str]:
        return effects_of(self.action, self.services)

    @property
    def disruptive(self) -> bool:
        return self.action != "start"

    def signed_for(self, user: User) -> str:
        ids = [str(service.pk) for service in self.services]
        data = {"user": user.pk, "action": self.action, "ids": ids}
        return signing.dumps(data, salt="services.plan", compress=True)


def plan_action(action: str, services: Iterable[Service]) -> ControlPlan:
    return ControlPlan(action, [_line(action, service) for service in services])


def _line(action: str, service: Service) -> PlanLine:
    if not service.allows(action):
        return PlanLine(service, FORBIDDEN, False)
    reading = getattr(service.node, "reading", None)
    if reading and reading.state:
        return PlanLine(service, "Tried, though the node could not be read.", True)
    if service.status == GOAL[action] and action != "restart":
        return PlanLine(service, f"Left as it is: {service.status} already.", False)
    return PlanLine(service, ACTIONS[action], True)


def confirmed_plan(text: str, user: User) -> tuple[str, list[str]]:
    """Return action and service ids of a plan that this user was shown just now."""
    try:
        data = signing.loads(text, salt="services.plan", max_age=VALID_FOR)
    except signing.BadSignature as error:
        raise Expired from error
    if data["user"] != user.pk:
        raise Expired
    return data["action"], data["ids"]
