"""Who may do what: three roles, declared on each view, refused where undeclared."""

from collections.abc import Callable, Collection
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.permissions import BasePermission

from accounts import audit, cluster_limits
from accounts.http import Request
from accounts.reauthentication import is_recent
from accounts.roles import Role, covers_role, has_role, role_of

if TYPE_CHECKING:
    # REST views load the classes that the settings name, this module among them.
    from rest_framework.request import Request as ApiRequest
    from rest_framework.views import APIView

__all__ = [
    "DeclaredAccess",
    "Role",
    "access",
    "before_second_factor",
    "open_to_all",
    "role_behind",
    "role_of",
]

View = TypeVar("View", bound=Callable[..., Any])


ALL_CLUSTERS = "This is only for people without a limit to some clusters."


def not_allowed(request: HttpRequest, methods: Collection[str]) -> HttpResponse:
    """Say so to whoever reloads what a form was sent to."""
    context = {
        "title": "Nothing to show",
        "sentence": "This page only accepts form submissions; go back to the form.",
    }
    answer = render(request, "error.html", context, status=405)
    answer["Allow"] = ", ".join(sorted(methods))
    return answer


def access(*, all_clusters: bool = False, **methods: Role) -> Callable[[View], View]:
    """Declare a page's methods and the role that each needs: `@access(get=VIEWER)`.

    Args:
        all_clusters: refuse whoever is limited to some clusters.
    """
    table = {method.upper(): role for method, role in methods.items()}
    if "GET" in table:
        table.setdefault("HEAD", table["GET"])

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            needed = table.get(request.method or "")
            if needed is None:
                return not_allowed(request, table)
            if not has_role(request.user, needed):
                audit.record_refusal(request)
                raise PermissionDenied(f"This needs the role {needed}.")
            if all_clusters and cluster_limits.current_limit() is not None:
                audit.record_refusal(request)
                raise PermissionDenied(ALL_CLUSTERS)
            answer: HttpResponse = view(request, *args, **kwargs)
            return answer

        guarded.access = table  # type: ignore[attr-defined]
        guarded.all_clusters = all_clusters  # type: ignore[attr-defined]
        # Whatever a page of a library says of itself.
        guarded.login_required = True  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def open_to_all(view: View) -> View:
    """Declare a page that answers without a sign-in (sign-in itself, health)."""
    view.access = None  # type: ignore[attr-defined]
    view.login_required = False  # type: ignore[attr-defined]
    return view


def before_second_factor(view: View) -> View:
    """Open a page to those whose role needs a second factor that is not set up."""
    view.before_second_factor = True  # type: ignore[attr-defined]
    return view


def role_behind(request: "ApiRequest") -> Role | None:
    """The role that a REST request may use: its token's, or its user's."""
    token: Any = request.auth
    if token is not None:
        role: Role | None = token.effective_role
        return role
    return role_of(request.user)


class ProofNeeded(exceptions.PermissionDenied):
    """403: a browser must prove its password again; tokens need not."""

    default_detail = "Confirm your password on the pages first, or use a token."
    default_code = "proof_needed"


class DeclaredAccess(BasePermission):
    """Allow what the API view declares in `access`: {action or method: role}.

    Actions that the view names in `recent_proof` also want a recent proof of the
    password from a browser; those in `all_clusters` refuse whoever is limited to some.
    """

    def has_permission(self, request: "ApiRequest", view: "APIView") -> bool:
        table: dict[str, Role] = getattr(view, "access", {})
        action = getattr(view, "action", None) or method_of(request)
        needed = table.get(action)
        role = role_behind(request)
        note_rights(request, role)
        if needed is None:
            return refuse_undeclared(request, view)
        if not covers_role(role, needed):
            if request.user.is_authenticated:
                audit.record_refusal(request)
            return False
        everywhere: Collection[str] = getattr(view, "all_clusters", ())
        if action in everywhere and cluster_limits.current_limit() is not None:
            audit.record_refusal(request)
            raise exceptions.PermissionDenied(ALL_CLUSTERS)
        dangerous: Collection[str] = getattr(view, "recent_proof", ())
        if action in dangerous and request.auth is None and not is_recent(request):
            raise ProofNeeded
        return True


def method_of(request: "ApiRequest") -> str:
    """The method of a view that answers; HEAD is a GET whose body is not sent."""
    method = (request.method or "").lower()
    return "get" if method == "head" else method


def note_rights(request: "ApiRequest", role: Role | None) -> None:
    """Leave on the request what `rest.idempotency` keeps with a first answer."""
    limit = cluster_limits.current_limit()
    request.rights = {  # type: ignore[attr-defined]
        "rank": role.rank if role is not None else -1,
        "clusters": None if limit is None else sorted(map(str, limit.clusters)),
    }


def refuse_undeclared(request: "ApiRequest", view: "APIView") -> bool:
    """Say 405 where the method does not exist, else refuse."""
    method = method_of(request)
    absent = method == "options" or not hasattr(view, method)
    if absent and request.user.is_authenticated:
        raise exceptions.MethodNotAllowed(method.upper())
    return False
