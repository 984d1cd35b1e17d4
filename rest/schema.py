"""What every operation of the REST interface has in common, for its description."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

from rest.headers import IDEMPOTENCY_KEY

PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "description": "For a 400: {field: [messages]}.",
        },
    },
    "required": ["type", "title", "status", "detail"],
    "example": {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "Some values were not accepted.",
        "errors": {"name": ["This field is required."]},
    },
}
MEANINGS = {
    "400": "Values, filters or the body were not accepted.",
    "401": "No token or session, or one that is over.",
    "403": "The role does not allow it.",
    "404": "There is no such object.",
    "406": "Only JSON is answered.",
    "409": "It conflicts with what is going on.",
    "412": "It was changed since it was read.",
    "413": "The body is too large.",
    "415": "Only JSON is read.",
    "428": "If-Match is missing.",
    "503": "The database does not answer; Retry-After says when to come back.",
    "429": "Too many requests; Retry-After says when to come back.",
}
ALWAYS = ("400", "401", "403", "406", "429", "503")


class OperationSchema(AutoSchema):
    """The description of an operation, with the header that a repeatable POST takes."""

    def get_override_parameters(self) -> list[Any]:
        # By name: the mixin's module needs REST framework, which loads this class.
        secret = getattr(self.view, "secret_answers", None)
        if self.method != "POST" or secret is None:
            return []
        return [] if getattr(self.view, "action", "") in secret else [IDEMPOTENCY_KEY]


def add_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Postprocessing hook: give each operation the errors that it may answer."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for status in response_statuses(path, method, operation):
                operation["responses"].setdefault(status, problem_response(status))
    return result


def allow_null_once(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Postprocessing hook: "anything, or null" is just anything.

    Written as oneOf it would refuse null, which then fits both.
    """
    for component in result["components"]["schemas"].values():
        for about in component.get("properties", {}).values():
            if {} in about.get("oneOf", ()):
                del about["oneOf"]
    return result


def response_statuses(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    found = list(ALWAYS)
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    if "{" in path:
        found.append("404")
    if method != "get":
        found += ["409", "413", "415"]
    elif path.endswith("/certificate/"):
        found.append("409")
    if "If-Match" in names:
        found += ["412", "428"]
    return found


def problem_response(status: str) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Problem"}
    content = {"application/problem+json": {"schema": reference}}
    return {"description": MEANINGS[status], "content": content}
