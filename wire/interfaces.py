"""The interfaces of a node, and what to do about a failure that depends on which it is.

A cause has one code and one sentence everywhere; its remedy may differ: a missing role
is another role on each interface, and a closed SIP port has nothing to do with Tomcat.
"""

from enum import StrEnum

from wire.errors import EXPLANATIONS, Code, WireError


class Interface(StrEnum):
    """What of a node was asked, in the words that a person reads."""

    AXL = "AXL"
    CONTROL_CENTER = "Control Center"
    SIP = "SIP"
    SIP_TLS = "SIP TLS"
    CERTIFICATES = "Certificate management"

    @property
    def missing(self) -> Code:
        """Give the code that says that a node does not have this interface."""
        return Code.AXL_OFF if self is Interface.AXL else Code.NOT_OFFERED


_LEGACY_TLS = "If the node supports only old TLS, mark its cluster for legacy TLS."
_SIP_SERVICE = "Check that the SIP proxy service of the node is running"
_SIP_PORT = "the SIP port of the node in the console, and firewalls."
_SIP_TLS_PORT = (
    "the SIP TLS port of the node in the console (5061 and 5062 are sometimes "
    "swapped), and firewalls."
)

REMEDIES: dict[Interface, dict[Code, str]] = {
    Interface.AXL: {
        Code.FORBIDDEN: "Give the application user the roles Standard AXL API Access "
        "and Standard CCM Admin Users.",
        Code.SINGLE_SIGN_ON: "Exempt /axl/ from single sign-on in the device in front "
        "of the node, or enter the node's own address; use an application user, not "
        "a user of the identity provider.",
        Code.UNAVAILABLE: "Check that Cisco Tomcat and the Cisco AXL Web Service are "
        "running on the node; after a start they need a few minutes.",
    },
    Interface.CONTROL_CENTER: {
        Code.UNAUTHORIZED: "Check the user name and the password of the application "
        "user.",
        Code.FORBIDDEN: "Give the application user the role Standard CCM Server "
        "Monitoring; to start, stop or restart services, also Standard CCM Admin "
        "Users.",
        Code.SINGLE_SIGN_ON: "Exempt /controlcenterservice2/ from single sign-on in "
        "the device in front of the node, or enter the node's own address; use an "
        "application user, not a user of the identity provider.",
        Code.INCOMPLETE: "Try again; if it is cut off again, check the node's Tomcat "
        "and devices on the way that limit the size of an answer.",
        Code.FAULT: "Look it up in the node's Tomcat logs.",
    },
    Interface.SIP: {
        Code.REFUSED: f"{_SIP_SERVICE}, {_SIP_PORT}",
        Code.TIMEOUT: f"{_SIP_SERVICE}, {_SIP_PORT}",
        Code.CLOSED: f"{_SIP_SERVICE}, {_SIP_PORT}",
        Code.PROTOCOL: "Check that the port is the SIP port of the node and that no "
        "device on the way rewrites SIP.",
    },
    Interface.SIP_TLS: {
        Code.REFUSED: f"{_SIP_SERVICE}, {_SIP_TLS_PORT}",
        Code.TIMEOUT: f"{_SIP_SERVICE}, {_SIP_TLS_PORT}",
        Code.CLOSED: f"{_SIP_SERVICE}, {_SIP_TLS_PORT}",
        Code.TLS: "Check that the port is the SIP TLS port of the node, not the one "
        f"without TLS. {_LEGACY_TLS}",
        Code.PROTOCOL: "Check that the port is the SIP TLS port of the node and that "
        "no device on the way rewrites SIP.",
    },
    Interface.CERTIFICATES: {
        Code.UNAUTHORIZED: "Enter the operating system administrator of the nodes, not "
        "an application user, and check the password.",
        Code.FORBIDDEN: "Use an operating system administrator; reading needs the "
        "lowest privilege level.",
        Code.NOT_OFFERED: "Nothing to do before release 14; from 14 on check that the "
        "port is that of the pages (443).",
        Code.PROTOCOL: "Check that the port is that of the pages (443) and that no "
        "device on the way rewrites the traffic.",
        Code.TOO_LARGE: "Delete trust certificates that nobody needs on the node.",
    },
}


def remedy_for(interface: Interface, code: Code) -> str:
    return REMEDIES[interface].get(code, EXPLANATIONS[code].remedy)


def seen_at(interface: Interface, error: WireError) -> WireError:
    """Give the error the remedy of its interface, unless it has one of its own."""
    if not isinstance(error.code, Code):
        return error
    if error.remedy == EXPLANATIONS[error.code].remedy:
        error.remedy = remedy_for(interface, error.code)
    return error
