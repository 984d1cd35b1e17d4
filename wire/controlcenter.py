"""Control Center Services: state and control of the services of one node.

Both generations behind one interface; which one a node has is found once.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from wire import soap
from wire.control_center_reasons import in_words
from wire.deadline import Deadline
from wire.errors import Code, WireError
from wire.interfaces import Interface
from wire.limits import CONTROL_CENTER_LIMITER, Backoff, Limiter
from wire.node import NodeAddress
from wire.services import (
    ControlResult,
    Products,
    ServiceInfo,
    ServiceStatus,
    items_of,
    read_infos,
    read_results,
    read_statuses,
    result_of,
)
from wire.session import Closing, Session
from wire.soap_faults import read_message
from wire.xml import SoapMessage

DEADLINE = 60.0
ACTIONS = {"start": "Start", "stop": "Stop", "restart": "Restart"}
_PATHS = {
    "new": "/controlcenterservice2/services/ControlCenterServices",
    "extended": "/controlcenterservice2/services/ControlCenterServicesEx",
    "legacy": "/controlcenterservice/services/ControlCenterServicesPort",
}
# What the legacy generation calls an operation, in the body and in the SOAPAction.
_LEGACY_NAMES = {
    "soapGetStaticServiceList": ("soapGetStaticServiceList", "GetServiceList"),
    "soapGetServiceStatus": ("soapGetServiceStatus", "GetServiceStatus"),
    "soapDoControlServices": ("soapDoControlServices", "DoControlServices"),
    "getProductInformationList": ("GetProductInformationList",) * 2,
}
# What an older node says to the question for the extended list.
_NO_EXTENDED_LIST = (
    Code.NOT_OFFERED,
    Code.FAULT,
    Code.NOT_SOAP,
    Code.UNAVAILABLE,
)
_LEGACY_ACTION = "http://schemas.cisco.com/ast/soap/action/#ControlCenterServices#"


class ControlCenterClient(Closing):
    """A conversation with the Control Center of one node, at a polite rate.

    Args:
        session: connections and login to share; its owner closes them.
        limiter: is asked before every call; by default ten calls a minute and node
            in this process.
        backoff: how to wait when the node says that the rate was exceeded.
    """

    def __init__(
        self,
        node: NodeAddress,
        *,
        session: Session | None = None,
        limiter: Limiter | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.node = node
        self.control_center = node.control_center
        self._session = session or Session(node)
        self._own_session = session is None
        self._limiter = limiter or CONTROL_CENTER_LIMITER
        self._backoff = backoff or Backoff(first=30.0, most=60.0)

    def close(self) -> None:
        if self._own_session:
            self._session.close()

    async def statuses(self, *, deadline: float = DEADLINE) -> list[ServiceStatus]:
        """Ask for all services in one call."""
        message = await self._call(
            "soapGetServiceStatus",
            {"ServiceStatus": [""]},
            {"GetServiceStatusList": {"item": [""]}},
            Deadline(deadline),
        )
        result = result_of(message)
        items = items_of(message, result, "ServiceInfoList", "ServiceInformation")
        found = read_statuses(message, items)
        if not found:
            code = message.number(result, "ReasonCode")
            words = in_words(code, message.text(result, "ReasonString"))
            detail = f"no services listed: {words}"
            raise WireError(Code.NOT_SOAP, node=self.node.name, detail=detail)
        return found

    async def static_list(self, *, deadline: float = DEADLINE) -> list[ServiceInfo]:
        """List the services; with restrictions where the node tells them."""
        clock = Deadline(deadline)
        await self._settle(clock)
        if self.control_center == "new":
            try:
                message = await self._post(
                    "extended",
                    "getStaticServiceListExtended",
                    {"ServiceInformationResponse": ""},
                    clock,
                )
                return read_infos(message)
            except WireError as error:
                if error.code not in _NO_EXTENDED_LIST:
                    raise
        empty = {"ServiceInformationResponse": ""}
        return read_infos(
            await self._call("soapGetStaticServiceList", empty, empty, clock)
        )

    async def products(self, *, deadline: float = DEADLINE) -> Products:
        """Read the product list; never trust its rows alone."""
        clock = Deadline(deadline)
        empty = {"ServiceInfo": ""}
        message = await self._call("getProductInformationList", empty, empty, clock)
        result = result_of(message)
        rows = items_of(message, result, "Products")
        pairs = (
            (message.text(row, "ProductName"), message.text(row, "ProductVersion"))
            for row in rows
        )
        version = message.text(result, "ActiveServerVersion")
        return Products(version, tuple(pair for pair in pairs if all(pair)))

    async def control(
        self, action: str, names: Sequence[str], *, deadline: float = DEADLINE
    ) -> list[ControlResult]:
        """Start, stop or restart services; returns before they have changed.

        Raises:
            WireError: with `outcome_unknown` when the command may have been taken.
        """
        if action not in ACTIONS or not names:
            raise WireError(Code.VALUE, "Name an action and at least one service.")
        clock = Deadline(deadline)
        await self._settle(clock)
        request = {"ControlType": ACTIONS[action], "ServiceList": {"item": list(names)}}
        values = {"ControlServiceRequest": request}
        message = await self._call(
            "soapDoControlServices", values, values, clock, write=True
        )
        return read_results(message, action, names)

    async def follow(
        self,
        names: Collection[str],
        target: str,
        deadline: float = DEADLINE,
        poll: float = 5.0,
        *,
        before: Mapping[str, ServiceStatus] | None = None,
    ) -> list[ServiceStatus]:
        """Ask again and again until all services are as wanted, or time is up.

        Gives their last statuses either way; raises only if there were none.

        Args:
            before: the statuses before a restart: a service that still shows its old
                start time has not restarted yet.
        """
        clock = Deadline(deadline)
        last: list[ServiceStatus] = []
        while True:
            try:
                found = await self.statuses(deadline=max(clock.remaining(), 0))
                last = [status for status in found if status.name in names]
            except WireError as error:
                if not last and (not error.retryable or clock.remaining() <= poll):
                    raise
            if last and all(_reached(x, target, before or {}) for x in last):
                return last
            if clock.remaining() <= poll:
                return last
            await asyncio.sleep(poll)

    async def _settle(self, clock: Deadline) -> None:
        """Find out with a harmless question which generation answers."""
        if self.control_center is None:
            await self.statuses(deadline=max(clock.remaining(), 0))

    async def _call(
        self,
        operation: str,
        values: Mapping[str, Any],
        legacy_values: Mapping[str, Any],
        clock: Deadline,
        *,
        write: bool = False,
    ) -> SoapMessage:
        """Ask the generation that is known, or the new one and then the legacy."""
        first = self.control_center or "new"
        missing = WireError(Code.NOT_OFFERED, node=self.node.name)
        for generation in (first, "legacy" if first == "new" else "new"):
            chosen = legacy_values if generation == "legacy" else values
            try:
                message = await self._post(
                    generation, operation, chosen, clock, write=write
                )
            except WireError as error:
                if error.code is not Code.NOT_OFFERED:
                    raise
                missing = error
                continue
            self.control_center = generation
            return message
        raise missing

    async def _post(
        self,
        generation: str,
        operation: str,
        values: Mapping[str, Any],
        clock: Deadline,
        *,
        write: bool = False,
    ) -> SoapMessage:
        """Send one request, again after a rate fault, which did nothing."""
        wsdl, action = "controlcenter", operation
        if generation == "legacy":
            operation, name = _LEGACY_NAMES[operation]
            wsdl, action = "controlcenter_legacy", _LEGACY_ACTION + name
        build = soap.build_envelope if write else soap.build_request
        body = build(wsdl, operation, **values)
        attempt = 0
        while True:
            await self._take_token(clock)
            reply = await self._session.post(
                _PATHS[generation], body, action, clock, fresh=write
            )
            try:
                return await read_message(
                    reply, self.node.name, Interface.CONTROL_CENTER, write=write
                )
            except WireError as error:
                error.outcome_unknown = write and error.code not in _REFUSALS
                starting = reply.status == 503 and not write
                if error.code is not Code.THROTTLED and not starting:
                    raise
                await self._backoff.wait(attempt, clock, error)
                attempt += 1

    async def _take_token(self, clock: Deadline) -> None:
        try:
            async with clock.limit():
                await self._limiter.take(self.node.address, 1)
        except TimeoutError:
            message = (
                f"The console has asked {self.node.name} as often as it may; "
                "the next call had to wait too long."
            )
            raise WireError(Code.THROTTLED, message) from None


_REFUSALS = frozenset(
    {
        Code.UNAUTHORIZED,
        Code.FORBIDDEN,
        Code.NOT_OFFERED,
        Code.THROTTLED,
        Code.REDIRECT,
        Code.SINGLE_SIGN_ON,
        Code.FAULT,
    }
)


def _reached(
    status: ServiceStatus, target: str, before: Mapping[str, ServiceStatus]
) -> bool:
    if status.status != target:
        return False
    old = before.get(status.name)
    return old is None or old.start_time != status.start_time or not old.start_time
