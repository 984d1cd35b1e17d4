"""The menus of every page, in the product's own order and words."""

from functools import cache
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts import scope
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

# Not for those who are limited to some clusters.
FOR_ALL_CLUSTERS = {"accounts:users", "notifications:webhooks"}


def menus(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the menus that the signed-in person may open."""
    role = role_of(request.user) if hasattr(request, "user") else None
    if role is None:
        return {"menus": "", "role": None}
    path = request.path
    serviceability = path.startswith("/serviceability/")
    application = "serviceability" if serviceability else "administration"
    limit = scope.current()
    limited = limit is not None
    return {
        "menus": drawn(role, application, _current(path), limited=limited),
        "limited_to": len(limit.clusters) if limit else None,
        "has_all_clusters": not limited,
        "role": role,
        "may_operate": role.covers(Role.OPERATOR),
        "may_administer": role.covers(Role.ADMINISTRATOR),
    }


@cache
def urls() -> dict[str, str]:
    """The URL of each item, by its name."""
    return {name: reverse(name) for *_, name, _ in ITEMS}


@cache
def drawn(
    role: Role, application: str, current: str, *, limited: bool = False
) -> SafeString:
    """The menus as HTML: the same on every page of a role below the same item."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for its_application, title, label, name, needed in ITEMS:
        if role.covers(needed) and not (limited and name in FOR_ALL_CLUSTERS):
            item = {"label": label, "url": urls()[name], "current": name == current}
            found.setdefault(its_application, {}).setdefault(title, []).append(item)
    context = {
        "applications": [
            {
                "label": name.capitalize(),
                "url": next(iter(menus.values()))[0]["url"],
                "current": name == application,
            }
            for name, menus in found.items()
        ],
        "menus": [
            {
                "title": title,
                "items": items,
                "current": any(item["current"] for item in items),
            }
            for title, items in found.get(application, {}).items()
        ],
    }
    return render_to_string("_menus.html", context)


def _current(path: str) -> str:
    """Name the item that the page lies below: the longest URL that fits."""
    if path == "/":
        return "home"
    above = [
        name for name, url in urls().items() if url != "/" and path.startswith(url)
    ]
    return max(above, key=urls().__getitem__, default="")
