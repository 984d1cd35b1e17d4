"""What goes wrong with presence: errors of the wire's family.

A sentence names a node, a user or a status; never a password, a key or a body.
"""

from enum import StrEnum

from wire.errors import Explanation, WireError


class PresenceCode(StrEnum):
    """What went wrong, as a word that never changes; see docs/presence-proof.md."""

    SIGN_IN = "presence_sign_in"
    ACCOUNT = "presence_account"
    USER = "presence_user"
    SESSION = "presence_session"
    CONTACT = "presence_contact"
    STATE = "presence_state"
    FULL = "presence_full"
    REFUSED = "presence_refused"
    UNRECOGNISED = "presence_unrecognised"
    DIGEST = "presence_digest"
    FORBIDDEN = "presence_forbidden"
    NOT_FOUND = "presence_not_found"
    EVENT = "presence_event"
    SIP_STATUS = "presence_sip_status"
    CLIENT_CERTIFICATE = "presence_client_certificate"
    XMPP_MISSING = "presence_xmpp_missing"
    XMPP_NO_TLS = "presence_xmpp_no_tls"
    XMPP_DOMAIN = "presence_xmpp_domain"
    XMPP_SIGN_IN = "presence_xmpp_sign_in"
    XMPP_BIND = "presence_xmpp_bind"
    XMPP_ROUTE = "presence_xmpp_route"
    XMPP_REFUSED = "presence_xmpp_refused"
    XMPP_UNRECOGNISED = "presence_xmpp_unrecognised"


_ROLE = "Put the application user into the group Admin-3rd Party API"

EXPLANATIONS: dict[StrEnum, Explanation] = {
    PresenceCode.SIGN_IN: Explanation(
        "{node} does not accept the application user for presence.",
        f"Check its user name and password. {_ROLE}.",
    ),
    PresenceCode.ACCOUNT: Explanation(
        "{node} does not let this account use the Presence Web Service.",
        f"{_ROLE}; an end user cannot take its place.",
    ),
    PresenceCode.USER: Explanation(
        "{node} does not know the canary user.",
        "Check the user ID, that the user is enabled and assigned to a node, and that "
        "the node chosen for the canary is its home node.",
    ),
    PresenceCode.SESSION: Explanation(
        "{node} no longer accepts the session of the console.",
        "Try again; if it stays so, check the clock of the node.",
        True,
    ),
    PresenceCode.CONTACT: Explanation(
        "{node} does not accept the address of the watched user.",
        "Check the presence domain of the remote cluster in the console.",
    ),
    PresenceCode.STATE: Explanation(
        "{node} does not set the availability of the canary user.",
        "Check that availability sharing is enabled on the cluster.",
    ),
    PresenceCode.FULL: Explanation(
        "{node} has no free endpoint or subscription for the Presence Web Service.",
        "Wait for sessions of other programs to expire, or end them.",
        True,
    ),
    PresenceCode.REFUSED: Explanation(
        "{node} refused a request to the Presence Web Service.",
        "Look up the number in the detail in the product's developer guide.",
    ),
    PresenceCode.UNRECOGNISED: Explanation(
        "{node} answered with something that is no answer about presence.",
        "Check that the port is that of the Presence Web Service (8083) and that no "
        "device on the way rewrites the traffic.",
    ),
    PresenceCode.DIGEST: Explanation(
        "{node} does not accept the digest credentials of the canary user.",
        "Check the digest credentials of the user, or put the address of the console "
        "into the incoming ACL of the SIP proxy.",
    ),
    PresenceCode.FORBIDDEN: Explanation(
        "{node} forbids it.",
        "Put the address of the console into the incoming ACL of the SIP proxy, and "
        "check the privacy policy of the watched user.",
    ),
    PresenceCode.NOT_FOUND: Explanation(
        "{node} does not know the user.",
        "Check the user ID and the presence domain of the cluster.",
    ),
    PresenceCode.EVENT: Explanation(
        "The SIP proxy of {node} does not offer presence.",
        "Check method and event routing for SUBSCRIBE and PUBLISH, and that the "
        "presence engine is running.",
    ),
    PresenceCode.SIP_STATUS: Explanation(
        "The SIP proxy of {node} answered with an unexpected status.",
        "Look up the status; check the presence engine and the routes of the proxy.",
    ),
    PresenceCode.CLIENT_CERTIFICATE: Explanation(
        "The SIP proxy of {node} wants a certificate from the console.",
        "The console has none. Set the SIP TLS port of the node to a listener that "
        "authenticates the server only, or choose TCP for the canary.",
    ),
    PresenceCode.XMPP_MISSING: Explanation(
        "XMPP is not installed.",
        "Install the packages of requirements-xmpp.txt, and restart the console.",
    ),
    PresenceCode.XMPP_NO_TLS: Explanation(
        "The XMPP port of {node} does not offer TLS.",
        "Check the port of XMPP (5222) and that TLS is enabled for clients. No "
        "password is sent without it.",
    ),
    PresenceCode.XMPP_DOMAIN: Explanation(
        "{node} does not serve the presence domain.",
        "Correct the presence domain of the cluster in the console.",
    ),
    PresenceCode.XMPP_SIGN_IN: Explanation(
        "{node} does not accept the XMPP password of the canary user.",
        "Check the password and that the user is enabled for IM and Presence.",
    ),
    PresenceCode.XMPP_BIND: Explanation(
        "{node} signs the canary user in and gives it no session.",
        "Check the Intercluster Sync Agent of the cluster: a user at home on two "
        "clusters is refused like this.",
    ),
    PresenceCode.XMPP_ROUTE: Explanation(
        "{node} finds no way to the domain of the watched user.",
        "Check the presence domain of the remote cluster, DNS, and that its XCP Router "
        "is running.",
    ),
    PresenceCode.XMPP_REFUSED: Explanation(
        "{node} refused a request by XMPP.",
        "Look up the condition in the detail; check the XCP services of the node.",
    ),
    PresenceCode.XMPP_UNRECOGNISED: Explanation(
        "{node} answered with something that is no XMPP.",
        "Check that the port is that of XMPP for clients (5222) and that no device on "
        "the way rewrites the traffic.",
    ),
}


class PresenceError(WireError):
    """A conversation about presence failed; see PresenceCode."""

    explanations = EXPLANATIONS
