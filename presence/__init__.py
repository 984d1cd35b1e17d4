"""Presence as a user sees it: the Presence Web Service, SIP and XMPP.

Knows no Django and no settings; of the project it imports only `wire`.
"""

from presence.by_service import (
    ServiceCanary,
    own_state,
    prove_by_service,
    restore_state,
)
from presence.by_sip import SipCanary, prove_by_sip
from presence.by_xmpp import XmppCanary, is_xmpp_installed, prove_by_xmpp
from presence.documents import State
from presence.errors import EXPLANATIONS, PresenceCode, PresenceError
from presence.stages import PresenceObservation, ProofInterface, Stage
from presence.starttls import fetch_starttls_certificate

__all__ = [
    "EXPLANATIONS",
    "ServiceCanary",
    "PresenceCode",
    "PresenceError",
    "PresenceObservation",
    "SipCanary",
    "Stage",
    "State",
    "ProofInterface",
    "XmppCanary",
    "fetch_starttls_certificate",
    "is_xmpp_installed",
    "own_state",
    "prove_by_service",
    "prove_by_sip",
    "prove_by_xmpp",
    "restore_state",
]
