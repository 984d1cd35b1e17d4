"""The menus of every page, in the product's own order and words."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.access import Role, role_of

# application, menu, label, URL name, role that may open it
ITEMS = (
    ("administration", "System", "Overview", "home", Role.VIEWER),
    ("administration", "System", "Clusters", "peers:clusters", Role.VIEWER),
    ("administration", "System", "Jobs", "jobs:find", Role.VIEWER),
    ("administration", "System", "Users", "accounts:users", Role.ADMINISTRATOR),
    (
        "administration",
        "System",
        "Webhooks",
        "notifications:webhooks",
        Role.ADMINISTRATOR,
    ),
    ("administration", "System", "Audit", "accounts:audit", Role.ADMINISTRATOR),
    ("administration", "Presence", "Inter-Clustering", "peers:find", Role.VIEWER),
    ("administration", "Presence", "Mesh", "mesh:matrix", Role.VIEWER),
    ("administration", "Presence", "Directory", "directory:locate", Role.VIEWER),
    (
        "administration",
        "Presence",
        "Set up a peering",
        "mesh:set_up",
        Role.ADMINISTRATOR,
    ),
    (
        "administration",
        "Diagnostics",
        "System Troubleshooter",
        "diagnostics:troubleshooter",
        Role.VIEWER,
    ),
    (
        "serviceability",
        "Tools",
        "Control Center - Network Services",
        "services:server",
        Role.VIEWER,
    ),
    (
        "serviceability",
        "Tools",
        "Intercluster Sync Agent",
        "services:agents",
        Role.VIEWER,
    ),
    ("serviceability", "Tools", "All services", "services:grid", Role.VIEWER),
)


def menus(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the menus that the signed-in person may open."""
    role = role_of(request.user) if hasattr(request, "user") else None
    if role is None:
        return {"menus": [], "user_menu": [], "application": "administration"}
    urls = {name: reverse(name) for *_, name, _ in ITEMS}
    current = _current(request, urls.values())
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for application, title, label, name, needed in ITEMS:
        if role.covers(needed):
            item = {"label": label, "url": urls[name], "current": urls[name] == current}
            found.setdefault((application, title), []).append(item)
    serviceability = request.path.startswith("/serviceability/")
    return {
        "menus": [
            {"title": title, "application": application, "items": items}
            for (application, title), items in found.items()
        ],
        "application": "serviceability" if serviceability else "administration",
        "user_menu": [
            {"label": "Your sessions", "url": reverse("accounts:sessions")},
            {"label": "Change password", "url": reverse("accounts:change_password")},
            {"label": "My notifications", "url": reverse("notifications:mine")},
            {"label": "API tokens", "url": reverse("accounts:tokens")},
            {"label": "REST interface", "url": reverse("docs")},
            {"label": "Sign out", "url": reverse("accounts:logout"), "post": True},
        ],
        "search_url": reverse("search"),
        "jobs_url": reverse("jobs:find"),
        "jobs_badge_url": reverse("jobs:badge"),
        "role": role,
        "may_operate": role.covers(Role.OPERATOR),
        "may_administer": role.covers(Role.ADMINISTRATOR),
    }


def _current(request: HttpRequest, urls: Iterable[str]) -> str:
    """Return the item that the page lies below: the longest one that fits."""
    above = [url for url in urls if url != "/" and request.path.startswith(url)]
    return max(above, key=len, default="/" if request.path == "/" else "")
