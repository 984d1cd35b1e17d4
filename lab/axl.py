"""AXL: the SOAP service over the database, in the dialect of the node's release."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import soap
from .database import TableRows
from .faults import Setting, fault
from .http import LabRequest, Response, html_page
from .http_faults import refusal_page
from .informix import InformixError, table_not_found
from .sessions import READ_ONLY, Caller, cookie_of

if TYPE_CHECKING:
    from .node import LabNode

PATH = "/axl/"
ACTION = re.compile(r'^"?CUCM:DB ver=(\d+\.\d+)(?: +(\w+))?"?$')
NAMESPACE = re.compile(r"http://www\.cisco\.com/AXL/API/(\d+\.\d+)")
CATALOGUE_TABLE = re.compile(r"\bsys(?:tables|columns)\b", re.I)
MAX_RESULT = 8 * 1024 * 1024
MAX_MEMORY = 2 * MAX_RESULT
MEMORY_TEXT = (
    "Maximum AXL Memory Allocation Consumed. "
    "Please retry once requests in progress have completed"
)


class AxlFault(Exception):
    """A SOAP fault with the code and message that AXL gives."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class AxlCall:
    """One call to AXL, as far as it has been understood."""

    node: "LabNode"
    caller: Caller
    schema: str = ""
    operation: soap.Operation | None = None

    @property
    def sequence(self) -> str:
        value = self.operation.element.get("sequence") if self.operation else None
        return "" if value is None else f" sequence={soap.quoteattr(value)}"

    def sql(self) -> str:
        text = self.operation.text("sql") if self.operation else None
        if not text or not text.strip():
            raise AxlFault(5003, "Element sql is missing or empty")
        return text.strip()


async def answer_axl(node: "LabNode", request: LabRequest) -> Response:
    """Answer a request for /axl/ as far as no fault came before it."""
    if refused := _unavailable(node, request):
        return refused
    caller = node.sessions.identify(request)
    if isinstance(caller, Response):
        return caller
    call = AxlCall(node, caller)
    if request.method == "GET":
        response = html_page(
            200,
            "Cisco CallManager: AXL Web Service",
            "The AXL Web Service is working and accepting requests. "
            "Use HTTP POST to send a request.",
        )
    else:
        response = _answer_post(call, request)
    if response.status in (200, 500):
        node.sessions.welcome(caller, response)
    return response


def _unavailable(node: "LabNode", request: LabRequest) -> Response | None:
    off = node.faults.take("axl", "off")
    if off or not node.service("Cisco AXL Web Service").is_started:
        return refusal_page(404, "The requested resource (/axl/) is not available.")
    if request.method not in ("GET", "POST"):
        return refusal_page(405, "The specified HTTP method is not allowed.")
    if cookie_of(request) and node.faults.take("axl", "stale-session"):
        return refusal_page(404, "The session is no longer valid.")
    if node.faults.take("axl", "no-role"):
        return refusal_page(403, "Access to the requested resource has been denied")
    return None


def _answer_post(call: AxlCall, request: LabRequest) -> Response:
    if not request.headers.get("content-type", "").lower().startswith("text/xml"):
        return refusal_page(415, "The content type is not text/xml.")
    try:
        schema = _schema(call.node, request)
        if schema is None:
            return _version_refusal(call.node)
        call.schema = schema
        call.operation = soap.read_operation(request)
        _check_namespace(call)
        name = call.operation.name
        operation = OPERATIONS.get(name)
        if operation is None or not _is_offered(call, name):
            raise AxlFault(5000, "No method found for processing request")
        if name == "executeSQLUpdate" and _may_not_write(call):
            return refusal_page(401, "This request requires HTTP authentication ().")
        body = response_body(call, operation(call))
    except AxlFault as error:
        return fault_response(call, error.code, error.message)
    except InformixError as error:
        return fault_response(call, error.code, error.message)
    except soap.Malformed as error:
        return fault_response(call, 5001, f"Unable to parse the request: {error}")
    return Response(200, body, soap.XML)


def schemas_of(node: "LabNode") -> tuple[str, ...]:
    setting = node.faults.get("axl", "versions")
    if setting:
        return tuple(setting.parameter.replace(",", " ").split())
    return node.cluster.release.schemas


def _schema(node: "LabNode", request: LabRequest) -> str | None:
    """Return the schema version that a request asks for; None if not supported."""
    offered = schemas_of(node)
    header = request.headers.get("soapaction", "").strip('"')
    if not header:
        return offered[0]
    found = ACTION.match(header)
    if not found:
        raise AxlFault(5000, "No method found for processing request")
    return found[1] if found[1] in offered else None


def _version_refusal(node: "LabNode") -> Response:
    text = node.cluster.release.unsupported_text(schemas_of(node))
    return html_page(599, f"HTTP Status 599 - {text}", text)


def _check_namespace(call: AxlCall) -> None:
    assert call.operation is not None  # noqa: S101
    found = NAMESPACE.fullmatch(call.operation.namespace)
    # The oldest schema goes by the name 1.0 as well.
    if not found or found[1] not in (call.schema, _alias(call)):
        raise AxlFault(
            5000,
            f"Namespace {call.operation.namespace} does not agree with version "
            f"{call.schema} of SOAPAction",
        )


def _alias(call: AxlCall) -> str:
    return "1.0" if call.schema == schemas_of(call.node)[0] else ""


def _is_offered(call: AxlCall, name: str) -> bool:
    if name == "listProcessNode":
        return float(call.schema) >= 8
    if name == "getCCMVersion":
        return not call.node.faults.take("axl", "no-version")
    return True


def _may_not_write(call: AxlCall) -> bool:
    return call.caller.role == READ_ONLY or bool(
        call.node.faults.take("axl", "read-only")
    )


def response_body(call: AxlCall, inner: str) -> bytes:
    assert call.operation is not None  # noqa: S101
    kind = "AXL" if call.node.faults.get("axl", "old-namespace") else "AXL/API"
    namespace = f"http://www.cisco.com/{kind}/{call.schema}"
    prefix = "axl" if call.node.cluster.release.old_faults else "ns"
    envelope = "SOAP-ENV" if call.node.cluster.release.old_faults else "soapenv"
    name = f"{prefix}:{call.operation.name}Response"
    declared = ""
    if call.node.cluster.release.major >= 14:
        declared = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    return soap.soap_envelope(
        f'<{name}{call.sequence} xmlns:{prefix}="{namespace}"{declared}>'
        f"{inner}</{name}>",
        envelope,
    )


def fault_response(
    call: AxlCall, code: int, message: str, status: int = 500
) -> Response:
    """Return a fault in the dialect of the node's release."""
    text = soap.escape(message)
    request = call.operation.name if call.operation else ""
    if call.node.cluster.release.old_faults:
        detail = (
            f'<axl:error xmlns:axl="http://www.cisco.com/AXL/7.0"{call.sequence}>'
            f"<code>{code}</code><message><![CDATA[{message}]]></message>"
            f"<request>{request}</request></axl:error>"
        )
        body = soap.soap_fault(message, detail, "Client", "SOAP-ENV")
        return Response(status, body, soap.XML)
    schema = call.schema or schemas_of(call.node)[-1]
    qualified = call.node.cluster.release.major >= 11
    name = "ns2:axlError" if qualified else "axlError"
    declared = f' xmlns:ns2="http://www.cisco.com/AXL/API/{schema}"'
    detail = (
        f"<{name}{declared if qualified else ''}><axlcode>{code}</axlcode>"
        f"<axlmessage>{text}</axlmessage><request>{request}</request></{name}>"
    )
    return Response(status, soap.soap_fault(message, detail), soap.XML)


def _text(value: Any) -> str:
    text = "" if value is None else str(value)
    return soap.escape(text) if "&" in text or "<" in text or ">" in text else text


def _rows(call: AxlCall, result: TableRows) -> str:
    if not result.rows:
        return "<return/>"
    template = "".join(f"<{name}>%s</{name}>" for name in result.columns)
    template = f"<row>{template}</row>"
    tags = template.count("<")
    parts: list[str] = []
    size = 0
    limit = call.node.faults.take("axl", "too-large")
    most = int(limit.number(10)) if limit else len(result.rows)
    for row in result.rows:
        if None in row:
            row = tuple("" if v is None else v for v in row)
        part = template % row
        if part.count("<") != tags or part.count(">") != tags or "&" in part:
            part = template % tuple(map(_text, row))
        size += len(part)
        if size > MAX_RESULT or len(parts) >= most:
            raise _too_large(len(result.rows), len(parts))
        parts.append(part)
    if call.node.memory + size > MAX_MEMORY:
        raise AxlFault(-1, MEMORY_TEXT)
    return f"<return>{''.join(parts)}</return>"


def _too_large(matched: int, fits: int) -> AxlFault:
    text = f"Query request too large. Total rows matched: {matched} rows. "
    return AxlFault(-1, f"{text}Suggestive Row Fetch: less than {max(fits, 1)} rows")


def execute_query(call: AxlCall) -> str:
    sql = call.sql()
    _read_catalogue(call, sql)
    return _rows(call, call.node.query(sql))


def _read_catalogue(call: AxlCall, sql: str) -> None:
    """Refuse a query of the database's own catalogue as the fault asks for."""
    named = CATALOGUE_TABLE.search(sql)
    setting = call.node.faults.take("catalogue") if named else None
    if named is None or setting is None:
        return
    if setting.value == "refused":
        raise InformixError(-272, f"No SELECT permission for {named[0]}.")
    if setting.value == "missing":
        raise table_not_found(named[0].lower())
    raise AxlFault(5003, "The user has no access to the database catalogue.")


def execute_update(call: AxlCall) -> str:
    if not call.node.is_publisher:
        raise AxlFault(5003, "The database of a subscriber node is read-only")
    changed = call.node.cluster.database.update(call.sql())
    return f"<return><rowsUpdated>{changed}</rowsUpdated></return>"


def get_version(call: AxlCall) -> str:
    version = call.node.cluster.release.version
    return (
        "<return><componentVersion>"
        f"<version>{version}</version></componentVersion></return>"
    )


def authenticate_user(call: AxlCall) -> str:
    assert call.operation is not None  # noqa: S101
    userid = call.operation.text("userid") or ""
    secret = call.operation.text("password") or call.operation.text("pin")
    known = call.node.cluster.database.value(
        "SELECT count(*) FROM enduser WHERE userid = ? AND tkuserprofile = 1", userid
    )
    right = bool(known) and secret == call.node.cluster.user_password
    return (
        f"<return><userAuthenticated>{str(right).lower()}</userAuthenticated>"
        f"<code>{0 if right else 1}</code></return>"
    )


def list_process_nodes(call: AxlCall) -> str:
    result = call.node.query("select pkid, name, tknodeusage from processnode")
    nodes = "".join(
        f'<processNode uuid="{{{pkid.upper()}}}"><nodeUsage>'
        f"{'Subscriber' if usage else 'Publisher'}</nodeUsage>"
        f"<name>{_text(name)}</name></processNode>"
        for pkid, name, usage in result.rows
    )
    return f"<return>{nodes}</return>"


OPERATIONS: dict[str, Callable[[AxlCall], str]] = {
    "executeSQLQuery": execute_query,
    "executeSQLUpdate": execute_update,
    "getCCMVersion": get_version,
    "doAuthenticateUser": authenticate_user,
    "listProcessNode": list_process_nodes,
}


def _operation(node: "LabNode", request: LabRequest) -> AxlCall:
    call = AxlCall(node, Caller("", ""))
    try:
        call.operation = soap.read_operation(request)
    except soap.Malformed:
        call.operation = None
    return call


@fault("axl", "throttle", "answer-axl")
def throttle(node: "LabNode", request: LabRequest, setting: Setting) -> Response:
    """A fault: the allowed rate of requests is exceeded."""
    text = (
        "Exceeded allowed rate for Reatime information. Current allowed rate for "
        "realtime information is 15 requests per minute."
    )
    return fault_response(_operation(node, request), -1, text)


@fault("axl", "memory", "answer-axl")
def memory(node: "LabNode", request: LabRequest, setting: Setting) -> Response:
    """A fault: the memory for concurrent results is used up."""
    return fault_response(_operation(node, request), -1, MEMORY_TEXT)


@fault("axl", "write-503", "answer-axl")
def write_503(
    node: "LabNode", request: LabRequest, setting: Setting
) -> Response | None:
    """Writes get status 503: the queue of change notifications is full."""
    if b"executeSQLUpdate" not in request.body:
        return None
    return refusal_page(503, "This service is not currently available")


@fault("axl", "error", "answer-axl")
def error(node: "LabNode", request: LabRequest, setting: Setting) -> Response:
    """A fault with the Informix code in the parameter (-201)."""
    code = int(setting.number(-201))
    return fault_response(_operation(node, request), code, "A database error occurred.")
