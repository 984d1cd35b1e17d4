"""The one error of the wire: a stable code, a sentence for a person, a remedy."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple


class Code(StrEnum):
    """What went wrong, as a word that never changes; see docs/errors.md."""

    ADDRESS = "address"
    UNRESOLVABLE = "unresolvable"
    POLICY = "policy"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    TLS = "tls"
    CERTIFICATE_UNKNOWN = "certificate_unknown"
    CERTIFICATE_CHANGED = "certificate_changed"
    CERTIFICATE_INVALID = "certificate_invalid"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    AXL_OFF = "axl_off"
    NOT_OFFERED = "not_offered"
    THROTTLED = "throttled"
    TOO_LARGE = "too_large"
    VERSION = "version"
    REDIRECT = "redirect"
    SINGLE_SIGN_ON = "single_sign_on"
    UNAVAILABLE = "unavailable"
    HTTP = "http"
    PROTOCOL = "protocol"
    NOT_SOAP = "not_soap"
    INCOMPLETE = "incomplete"
    FAULT = "fault"
    CATALOGUE = "catalogue"
    VALUE = "value"


class Explanation(NamedTuple):
    sentence: str
    remedy: str
    retryable: bool = False


EXPLANATIONS: dict[StrEnum, Explanation] = {
    Code.ADDRESS: Explanation(
        "The address is not valid.",
        "Enter an IP address, a host name or a fully qualified name, nothing else.",
    ),
    Code.UNRESOLVABLE: Explanation(
        "DNS does not know {node}.",
        "Check the name, and that DNS holds its A or SRV record.",
    ),
    Code.POLICY: Explanation(
        "The console may not connect to {node}.",
        "If intended, add it to CUPADMIN_ALLOWED_NETWORKS or CUPADMIN_ALLOWED_PORTS.",
    ),
    Code.REFUSED: Explanation(
        "{node} refused the connection.",
        "Check that the service is running and that the port is right.",
        True,
    ),
    Code.UNREACHABLE: Explanation(
        "There is no network path to {node}.",
        "Check routing and firewalls between the console and the node.",
        True,
    ),
    Code.TIMEOUT: Explanation(
        "{node} did not answer in time.",
        "Check that the node is up, then its DNS servers and the network path.",
        True,
    ),
    Code.CLOSED: Explanation(
        "{node} closed the connection before its answer was complete.",
        "Try again; if it stays so, look at the node's Tomcat and at firewalls.",
        True,
    ),
    Code.TLS: Explanation(
        "No secure connection with {node} could be agreed.",
        "If the node knows only old TLS, mark the cluster for legacy TLS, then "
        "confirm its certificate.",
    ),
    Code.CERTIFICATE_UNKNOWN: Explanation(
        "The certificate of {node} has not been confirmed.",
        "Compare the fingerprint with the node and confirm it, or upload its CA.",
    ),
    Code.CERTIFICATE_CHANGED: Explanation(
        "The certificate of {node} has changed.",
        "Find out why it changed, compare the new fingerprint, then confirm it.",
    ),
    Code.CERTIFICATE_INVALID: Explanation(
        "The certificate of {node} is not valid for the uploaded CA.",
        "Check the node's name, the certificate's dates, and the uploaded CA.",
    ),
    Code.UNAUTHORIZED: Explanation(
        "{node} does not accept the user name and password.",
        "Check both; a user with a read-only role gets the same answer to a write.",
    ),
    Code.FORBIDDEN: Explanation(
        "The user may not use this interface of {node}.",
        "Give the application user the role that this interface needs.",
    ),
    Code.AXL_OFF: Explanation(
        "{node} does not offer AXL.",
        "Activate the Cisco AXL Web Service on the node.",
    ),
    Code.NOT_OFFERED: Explanation(
        "{node} does not offer this function.",
        "Nothing to do on an older release; otherwise check the node's services.",
    ),
    Code.THROTTLED: Explanation(
        "{node} asks for fewer requests.",
        "Wait a minute; if it stays so, look for other programs that ask the node.",
        True,
    ),
    Code.TOO_LARGE: Explanation(
        "The answer of {node} is larger than allowed.",
        "Ask for less at once.",
    ),
    Code.VERSION: Explanation(
        "{node} and the console share no AXL version.",
        "Check the cluster's generation; run discovery again after an upgrade.",
    ),
    Code.REDIRECT: Explanation(
        "{node} answered with a redirection, which is never followed.",
        "Enter the node's own address, not that of a portal or load balancer.",
    ),
    Code.SINGLE_SIGN_ON: Explanation(
        "{node} sends the console to an identity provider: single sign-on stands in "
        "front of this interface.",
        "Exempt the interface from single sign-on, or enter the node's own address.",
    ),
    Code.UNAVAILABLE: Explanation(
        "The web server of {node} (Tomcat) answered with an error page.",
        "Check that Cisco Tomcat is running on the node; after a start it needs a "
        "few minutes.",
        True,
    ),
    Code.HTTP: Explanation(
        "{node} answered with an unexpected HTTP status.",
        "Look at the node's Tomcat logs.",
    ),
    Code.PROTOCOL: Explanation(
        "The answer of {node} breaks the protocol.",
        "Check that the port is right and that no device rewrites the traffic.",
    ),
    Code.NOT_SOAP: Explanation(
        "{node} answered with something other than the expected SOAP message.",
        "Check that the address is that of a CUP or IM and Presence node.",
    ),
    Code.INCOMPLETE: Explanation(
        "The answer of {node} was cut off.",
        "Try again; if it is cut off again, ask for less at once, and check devices on "
        "the way that limit the size of an answer.",
        True,
    ),
    Code.FAULT: Explanation(
        "{node} reported a fault.",
        "Look it up in the node's AXL logs.",
    ),
    Code.CATALOGUE: Explanation(
        "The peer table of {node} differs from the mapping.",
        "Correct the cluster's peer table mapping, or use guided provisioning.",
    ),
    Code.VALUE: Explanation(
        "A value cannot be sent to the cluster.",
        "Use at most 255 characters and no control characters.",
    ),
}

_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def clean_text(text: str, limit: int) -> str:
    """Make foreign text fit for one line on a screen."""
    text = _BLANK.sub(" ", text[: limit * 4]).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


class WireError(Exception):
    """A conversation with a cluster failed.

    Holds no secret and no reply body, so that it may be stored, logged and shown.
    `outcome_unknown` says that a write may have happened all the same. `explanations`
    are those of the codes that an error of its kind may have; the sentences of those
    in `quoting` say nothing without what the node itself said.
    """

    explanations: ClassVar[Mapping[StrEnum, Explanation]] = EXPLANATIONS
    quoting: ClassVar[frozenset[StrEnum]] = frozenset(
        {Code.FAULT, Code.HTTP, Code.VERSION}
    )

    def __init__(
        self,
        code: StrEnum,
        message: str = "",
        *,
        node: str = "The node",
        remedy: str = "",
        detail: str = "",
        outcome_unknown: bool = False,
        retryable: bool | None = None,
    ) -> None:
        sentence, default_remedy, default_retryable = self.explanations[code]
        self.code = code
        self.detail = clean_text(detail, 200)
        sentence = sentence.format(node=clean_text(node, 253))
        if self.detail and code in self.quoting:
            sentence = f"{sentence.rstrip('.')}: {self.detail.rstrip('.')}."
        self.message = clean_text(message or sentence, 500)
        self.remedy = clean_text(remedy or default_remedy, 500)
        self.outcome_unknown = outcome_unknown
        self.retryable = default_retryable if retryable is None else retryable
        super().__init__(self.message)

    def forget(self, text: str) -> None:
        """Leave a text out that the node may have quoted, also where it was cut."""
        text = clean_text(text, len(text)) if text else ""
        if not text:
            return
        for name in ("message", "detail"):
            setattr(self, name, _hide_text(getattr(self, name), text))
        self.args = (self.message,)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.__dict__.copy())


def _hide_text(words: str, text: str) -> str:
    words = words.replace(text, "***")
    whole, mark, rest = words.rpartition("…")
    sizes = range(len(text), 0, -1) if mark else ()
    size = next((size for size in sizes if whole.endswith(text[:size])), 0)
    return f"{whole[:-size]}***{rest}" if size else words


def _rebuild(kind: type[WireError], state: dict[str, Any]) -> WireError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = (error.message,)
    return error
