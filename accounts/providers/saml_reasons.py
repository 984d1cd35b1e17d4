"""Why an answer was refused, in words that hold nothing of the answer itself.

Anybody may post one, so what it says goes to the log only.
"""

from onelogin.saml2.errors import OneLogin_Saml2_ValidationError as Fault

CLOCKS = "It has expired, or the clocks of provider and console differ."
NOT_REQUESTED = "It does not answer a sign-in request of this console."
UNSIGNED = "Its assertion is not signed."
REASONS = {
    Fault.STATUS_CODE_IS_NOT_SUCCESS: "It reports that sign-in at the provider failed.",
    Fault.ASSERTION_TOO_EARLY: CLOCKS,
    Fault.ASSERTION_EXPIRED: CLOCKS,
    Fault.SESSION_EXPIRED: CLOCKS,
    Fault.RESPONSE_EXPIRED: CLOCKS,
    Fault.WRONG_SUBJECTCONFIRMATION: CLOCKS[:-1] + "; or it is for another address.",
    Fault.WRONG_DESTINATION: "It was sent to another address, not to this console.",
    Fault.EMPTY_DESTINATION: "It was sent to another address, not to this console.",
    Fault.WRONG_AUDIENCE: "It is not meant for this console (audience).",
    Fault.WRONG_ISSUER: "It is from another issuer.",
    Fault.NO_SIGNED_ASSERTION: UNSIGNED,
    Fault.NO_SIGNATURE_FOUND: UNSIGNED,
    Fault.INVALID_SIGNATURE: "Its signature does not match the provider's certificate.",
    Fault.DEPRECATED_SIGNATURE_METHOD: "It is signed with SHA-1, which is too weak.",
    Fault.DEPRECATED_DIGEST_METHOD: "It is signed with SHA-1, which is too weak.",
}


def reason_of(error: Exception) -> str:
    code = getattr(error, "code", None) if isinstance(error, Fault) else None
    return REASONS.get(code or 0, "It is not a valid SAML response.")
