"""Who may do what: three roles, declared on each view, refused where undeclared."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseNotAllowed
from rest_framework.permissions import BasePermission

from accounts.http import Request
from accounts.roles import Role, role_of

if TYPE_CHECKING:
    # REST views load the classes that the settings name, this module among them.
    from rest_framework.request import Request as ApiRequest
    from rest_framework.views import APIView

__all__ = ["DeclaredAccess", "Role", "access", "open_to_all", "role_of"]

View = TypeVar("View", bound=Callable[..., Any])


def access(**methods: Role) -> Callable[[View], View]:
    """Declare a page's methods and the role that each needs: `@access(get=VIEWER)`."""
    table = {method.upper(): role for method, role in methods.items()}
    if "GET" in table:
        table.setdefault("HEAD", table["GET"])

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            needed = table.get(request.method or "")
            if needed is None:
                return HttpResponseNotAllowed(sorted(table))
            role = role_of(request.user)
            if role is None or not role.covers(needed):
                raise PermissionDenied(f"This needs the role {needed}.")
            answer: HttpResponse = view(request, *args, **kwargs)
            return answer

        guarded.access = table  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def open_to_all(view: View) -> View:
    """Declare a page that answers without a sign-in (sign-in itself, health)."""
    view.access = None  # type: ignore[attr-defined]
    view.login_required = False  # type: ignore[attr-defined]
    return view


class DeclaredAccess(BasePermission):
    """Allow what the API view declares in `access`: {action or method: role}."""

    def has_permission(self, request: "ApiRequest", view: "APIView") -> bool:
        table: dict[str, Role] = getattr(view, "access", {})
        action = getattr(view, "action", None) or (request.method or "").lower()
        needed = table.get(action)
        if needed is None:
            return False
        role = getattr(request.auth, "role", None) or role_of(request.user)
        return role is not None and Role(role).covers(needed)
