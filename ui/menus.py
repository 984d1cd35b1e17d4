"""The menus of every page, in the product's own order and words."""

from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts import cluster_limits
from accounts.access import Role, role_of
from ui.help import url_for

# application, menu, label, URL name, role that may open it
ITEMS = (
    ("administration", "System", "Overview", "home", Role.VIEWER),
    ("administration", "System", "Clusters", "clusters:clusters", Role.VIEWER),
    ("administration", "System", "Jobs", "jobs:find", Role.VIEWER),
    ("administration", "System", "Processes", "processes", Role.OPERATOR),
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
    ("administration", "Presence", "Certificates", "exchange:show", Role.VIEWER),
    ("administration", "Presence", "Directory", "directory:locate", Role.VIEWER),
    ("administration", "Presence", "Sizing", "sizing:show", Role.VIEWER),
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


def menu_context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the menus that the signed-in person may open."""
    role = role_of(request.user) if hasattr(request, "user") else None
    if role is None:
        return {"role": None}
    limit = cluster_limits.current_limit()
    return {
        **menus_of(role, request.path, limited=limit is not None),
        "limited_to": len(limit.clusters) if limit else None,
        "has_all_clusters": limit is None,
        "role": role,
        "help_url": url_for(request),
        "may_operate": role.covers(Role.OPERATOR),
        "may_administer": role.covers(Role.ADMINISTRATOR),
    }


@cache
def menu_urls() -> dict[str, str]:
    """The URL of each item, by its name."""
    return {name: reverse(name) for *_, name, _ in ITEMS}


def menus_of(role: Role, path: str, *, limited: bool) -> dict[str, Any]:
    """The applications, the menus of the present one, and which is the current."""
    found: dict[str, dict[str, list[dict[str, str]]]] = {}
    for application, title, label, name, needed in ITEMS:
        if role.covers(needed) and not (limited and name in FOR_ALL_CLUSTERS):
            item = {"label": label, "url": menu_urls()[name], "name": name}
            found.setdefault(application, {}).setdefault(title, []).append(item)
    serviceability = path.startswith("/serviceability/")
    here = "serviceability" if serviceability else "administration"
    current = _current_item(path)
    return {
        "applications": [
            (name, next(iter(menus.values()))[0]["url"], name == here)
            for name, menus in found.items()
        ],
        "menus": found.get(here, {}),
        "menu": next((title for _, title, _, name, _ in ITEMS if name == current), ""),
        "menu_item": current,
    }


def _current_item(path: str) -> str:
    """Name the item that the page lies below: the longest URL that fits."""
    if path == "/":
        return "home"
    above = [
        name for name, url in menu_urls().items() if url != "/" and path.startswith(url)
    ]
    return max(above, key=menu_urls().__getitem__, default="")
