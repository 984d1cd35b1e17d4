"""Control Center Services, both generations, over the services of a node."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree

from . import soap
from .controlcenter_replies import Fields, Items, legacy_reply, new_reply
from .faults import Setting, fault
from .http import LabRequest, Response
from .http_faults import refusal_page
from .services import (
    BAD_ARGUMENTS,
    NO_SUCH_SERVICE,
    NOT_ACTIVATED,
    OUT_OF_SERVICE,
    SUCCESSFUL,
    LabService,
    reason_text,
)

if TYPE_CHECKING:
    from .node import LabNode

NAMESPACE = "http://schemas.cisco.com/ast/soap"
BASE = "/controlcenterservice2/services/ControlCenterServices"
EXTENDED = "/controlcenterservice2/services/ControlCenterServicesEx"
LEGACY = "/controlcenterservice/services/ControlCenterServicesPort"
RATE_TEXT = (
    "AxisFault: Exceeded allowed rate for Reatime information. Current allowed rate "
    "for realtime information is 15 requests per minute."
)


class RefusedCall(Exception):
    """The service answers a request with a SOAP fault."""


@dataclass(frozen=True)
class ControlCenterCall:
    """One call to the Control Center."""

    node: "LabNode"
    operation: soap.Operation
    extended: bool = False
    legacy: bool = False

    def texts(self, name: str) -> list[str]:
        return [(e.text or "").strip() for e in self.operation.anywhere(name)]


async def answer_controlcenter(node: "LabNode", request: LabRequest) -> Response:
    """Answer a request for one of the Control Center's addresses."""
    path = request.path.split("?")[0]
    generation = "legacy" if path == LEGACY else "new"
    known = path in (BASE, EXTENDED, LEGACY)
    if not known or not _offers(node, generation):
        return refusal_page(404, f"The requested resource ({path}) is not available.")
    caller = node.sessions.identify(request)
    if isinstance(caller, Response):
        return caller
    if request.method != "POST":
        return refusal_page(405, "The specified HTTP method is not allowed.")
    try:
        _limit_rate(node)
        call = ControlCenterCall(
            node, soap.read_operation(request), path == EXTENDED, generation == "legacy"
        )
        body = _reply(call, request)
    except (RefusedCall, soap.Malformed) as error:
        return Response(500, soap.soap_fault(str(error)), soap.XML)
    response = Response(200, body, soap.XML)
    node.sessions.welcome(caller, response)
    return response


def _offers(node: "LabNode", generation: str) -> bool:
    if generation == "new" and node.faults.take("control_center", "legacy-only"):
        return False
    return generation in node.cluster.release.control_centers


def _limit_rate(node: "LabNode") -> None:
    setting = node.faults.get("control_center", "rate")
    if not setting:
        return
    now = time.monotonic()
    node.control_center_calls = [t for t in node.control_center_calls if now - t < 60]
    if len(node.control_center_calls) >= setting.number(15):
        raise RefusedCall(RATE_TEXT)
    node.control_center_calls.append(now)


def _reply(call: ControlCenterCall, request: LabRequest) -> bytes:
    name = call.operation.name
    operations = EXTENDED_OPERATIONS if call.extended else BASE_OPERATIONS
    operation = operations.get(_canonical(call))
    if operation is None:
        raise RefusedCall(f"The operation {name} is not found")
    if call.legacy:
        style = call.node.legacy_style
        return legacy_reply(name, operation(call), style)
    _check_new(call, request)
    return new_reply(name, operation(call))


def _canonical(call: ControlCenterCall) -> str:
    name = call.operation.name
    if call.legacy and name == "GetProductInformationList":
        return "getProductInformationList"
    if call.legacy and name == "getProductInformationList":
        return ""
    return name


def _check_new(call: ControlCenterCall, request: LabRequest) -> None:
    """Refuse what a stack that goes by the WSDL would refuse."""
    action = request.headers.get("soapaction", "").strip('"')
    if action and action != call.operation.name:
        raise RefusedCall(
            "The endpoint reference (EPR) for the Operation not found is "
            f"{request.path} and the WSA Action = {action}"
        )
    for element in call.operation.element.iter(etree.Element):
        name = etree.QName(element)
        if name.namespace != NAMESPACE:
            raise RefusedCall(f"Unexpected subelement {name.localname}")


def _status_item(service: LabService) -> Fields:
    status = service.status
    running = service.is_started
    return [
        ("ServiceName", service.name),
        ("ServiceStatus", status),
        ("ReasonCode", service.reason),
        ("ReasonCodeString", reason_text(service.reason)),
        ("StartTime", time.ctime(service.since) if running else ""),
        ("UpTime", service.up_time),
    ]


def _unknown_item(name: str) -> Fields:
    return [
        ("ServiceName", name),
        ("ServiceStatus", "Unknown"),
        ("ReasonCode", NO_SUCH_SERVICE),
        ("ReasonCodeString", reason_text(NO_SUCH_SERVICE)),
        ("StartTime", ""),
        ("UpTime", -1),
    ]


def _information(
    call: ControlCenterCall, items: list[Fields], reason: int = SUCCESSFUL
) -> Fields:
    code: Any = 0 if call.extended else "0"
    return [
        ("ReturnCode", code),
        ("ReasonCode", reason),
        ("ReasonString", None if reason == SUCCESSFUL else reason_text(reason)),
        ("ServiceInfoList", Items("ServiceInformation", items)),
    ]


def service_status(call: ControlCenterCall) -> Fields:
    if not call.legacy and not call.operation.anywhere("ServiceStatus"):
        raise RefusedCall("Unexpected end of element: ServiceStatus expected")
    leaves = [e for e in call.operation.element.iter() if not len(e)]
    names = [text for e in leaves if (text := (e.text or "").strip())]
    services = call.node.services
    items = [
        _status_item(services[name]) if name in services else _unknown_item(name)
        for name in names or services
    ]
    return _information(call, items)


def control_services(call: ControlCenterCall) -> Fields:
    """Start, stop or restart; returns while the services are still changing."""
    actions, names = call.texts("ControlType"), call.texts("item")
    if not names or not all(names) or len(actions) != 1:
        return _information(call, [], BAD_ARGUMENTS)
    if actions[0] not in ("Start", "Stop", "Restart"):
        raise RefusedCall(f"Invalid value {actions[0]} of ControlType")
    if not _is_this_node(call):
        return _information(call, [], -1007)
    items = [_control_one(call.node, name, actions[0]) for name in names]
    failed = any(dict(item)["ReasonCode"] != SUCCESSFUL for item in items)
    return _information(call, items, -1007 if failed else SUCCESSFUL)


def _is_this_node(call: ControlCenterCall) -> bool:
    node = call.node
    own = ("", node.name, node.address, node.short_name)
    return all(name in own for name in call.texts("NodeName"))


def _control_one(node: "LabNode", name: str, action: str) -> Fields:
    if name not in node.services:
        return _unknown_item(name)
    refused = node.faults.take("control_center", "refuse")
    code = int(refused.number(-1042)) if refused else node.command(name, action)
    item = dict(_status_item(node.services[name]))
    item |= {"ReasonCode": code, "ReasonCodeString": reason_text(code)}
    return list(item.items())


def deploy_services(call: ControlCenterCall) -> Fields:
    kinds, names = call.texts("DeployType"), call.texts("item")
    if not names or len(kinds) != 1:
        return _information(call, [], BAD_ARGUMENTS)
    items = []
    for name in names:
        service = call.node.services.get(name)
        if service is None or not service.kind.deployable:
            items.append(_unknown_item(name))
            continue
        service.set("Started" if kinds[0] == "Deploy" else "Stopped")
        service.reason = SUCCESSFUL if kinds[0] == "Deploy" else NOT_ACTIVATED
        items.append(_status_item(service))
    call.node.save_services()
    return _information(call, items)


def _static_item(service: LabService, product: bool = False) -> Fields:
    kind = service.kind
    item: Fields = [
        ("ServiceName", kind.name),
        ("ServiceType", "Servlet" if kind.servlet else "Service"),
        ("Deployable", kind.deployable),
        ("GroupName", kind.group),
    ]
    if product:
        item.append(("ProductID", kind.product))
    return [*item, ("DependentServices", [])]


def static_list(call: ControlCenterCall) -> Fields:
    items = [_static_item(s) for s in call.node.services.values()]
    return [("Services", Items("StaticService", items))]


def extended_list(call: ControlCenterCall) -> Fields:
    items = []
    for number, service in enumerate(call.node.services.values(), 1):
        restrict = service.kind.restrict
        items.append(
            _static_item(service, product=True)
            + [
                ("RestrictServer", "yes" if restrict == "PrimaryNode" else "no"),
                ("SetDefault", "yes"),
                ("Restrict", restrict),
                ("SequenceNumber", number),
                ("ServiceEnum", re.sub(r"\W", "", service.name)),
            ]
        )
    return [
        ("PrimaryNode", call.node.is_publisher),
        ("SecondaryNode", not call.node.is_publisher),
        ("Services", Items("StaticServiceExtended", items)),
    ]


def product_list(call: ControlCenterCall) -> Fields:
    node = call.node
    services = [_static_item(s, product=True) for s in node.services.values()]
    if node.faults.take("control_center", "scrambled"):
        services[0] = _scrambled(services[0])
    product: Fields = [
        ("ProductName", "Cisco Unified Presence"),
        ("ProductVersion", node.cluster.release.version),
        ("ProductDescription", "Presence"),
        ("ProductID", "CUP"),
        ("ShortName", "CUP"),
    ]
    return [
        ("ActiveServerVersion", node.cluster.release.version),
        ("PrimaryNode", node.is_publisher),
        ("SecondaryNode", not node.is_publisher),
        ("Products", Items("InstalledProduct", [product])),
        ("Services", Items("ProductServiceSpecification", services)),
    ]


def _scrambled(item: Fields) -> Fields:
    broken = {"ServiceName": "yes", "GroupName": "none", "ProductID": "315106"}
    return [(name, broken.get(name, value)) for name, value in item]


def directory_list(call: ControlCenterCall) -> Fields:
    raise RefusedCall("Directory not found")


BASE_OPERATIONS: dict[str, Callable[[ControlCenterCall], Fields]] = {
    "soapGetStaticServiceList": static_list,
    "soapGetServiceStatus": service_status,
    "soapDoControlServices": control_services,
    "soapDoServiceDeployment": deploy_services,
    "getProductInformationList": product_list,
}
EXTENDED_OPERATIONS: dict[str, Callable[[ControlCenterCall], Fields]] = {
    "getStaticServiceListExtended": extended_list,
    "getFileDirectoryList": directory_list,
    "soapDoControlServicesEx": control_services,
    "soapDoServiceDeploymentNoDbUpdate": deploy_services,
}


@fault("control_center", "throttle", "answer")
def throttle(request: LabRequest, setting: Setting) -> Response:
    """A fault: the allowed rate of requests is exceeded."""
    return Response(500, soap.soap_fault(RATE_TEXT), soap.XML)


@fault("control_center", "off", "answer")
def off(request: LabRequest, setting: Setting) -> Response:
    """Neither generation of the Control Center is there: 404."""
    return refusal_page(404, "The requested resource is not available.")


__all__ = ["BASE", "EXTENDED", "LEGACY", "OUT_OF_SERVICE", "answer_controlcenter"]
