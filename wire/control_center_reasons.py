"""The reason codes of the Control Center, in words."""

SUCCESSFUL = -1
# Some releases answer a command with it instead.
OK = 0
ALREADY_STARTED = -1039
ALREADY_STOPPED = -1040
ALREADY_THERE = -1057
NOT_ACTIVATED = -1068
COMMANDED_OUT = -1069

REASONS: dict[int, str] = {
    SUCCESSFUL: "successful",
    -1000: "already initialized",
    -1002: "not initialized",
    -1003: "is running",
    -1004: "entry not found",
    -1007: "unsuccessful",
    -1010: "no such service",
    -1011: "reserved for the platform",
    -1012: "bad arguments",
    -1013: "internal error",
    -1016: "no licence",
    -1019: "not running",
    -1026: "already exists",
    -1029: "another operation is pending",
    -1031: "the operation timed out",
    -1033: "not implemented",
    -1036: "a service that depends on it is active",
    -1037: "a service that it depends on is not active",
    -1038: "circular dependencies",
    ALREADY_STARTED: "already started",
    ALREADY_STOPPED: "already stopped",
    -1041: "dependencies are pending",
    -1042: "this change of state is not allowed",
    -1043: "no changes",
    -1045: "not supported",
    -1046: "recovery is in progress",
    -1047: "waiting for a scheduled restart",
    -1048: "waiting for services that it depends on",
    -1049: "waiting for services that depend on it",
    -1050: "shutting down",
    ALREADY_THERE: "already in that state",
    -1058: "out of range",
    -1067: "invalid token",
    NOT_ACTIVATED: "not activated",
    COMMANDED_OUT: "commanded out of service",
    -1070: "several modules failed",
    -1071: "an exception occurred",
    -1072: "context path error",
    -1073: "context path error",
    -1074: "context path error",
    -1075: "the application exists",
}

_OK_WORDS = ("", "ok", "success", "successful", "successfully")


def is_success(code: int | None, reason: str = "") -> bool:
    """Judge a reason code; 0 is a success unless its words say otherwise."""
    if code == OK:
        return reason.strip(" .!").casefold() in _OK_WORDS
    return code == SUCCESSFUL


def in_words(code: int | None, text: str = "") -> str:
    """Give our words for a known code, the node's own for another."""
    if code == OK:
        return text or REASONS[SUCCESSFUL]
    if code in REASONS:
        return REASONS[code]
    if code is not None and -1066 <= code <= -1060:
        return "refused by the service manager"
    return text or ("" if code is None else f"reason code {code}")
