"""What is published of capacity, each figure with its source.

A release or a platform without a published figure has none here: it is not checked. A
figure that two published texts contradict is listed and not used.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

MULTI_NODE_7 = (
    "Cisco DocWiki, Unified Presence 7.x, About the Multi-Node Scalability Feature"
    " (revision of 2010-06-01)"
)
SERVER_MODELS = (
    "Cisco Press article p=1339474 (2009), table CUPS User Capacity by Platform"
)
DEPLOYMENT_86 = "Deployment Guide for Cisco Unified Presence 8.6, glossary"
DEPLOYMENT_90 = (
    "Deployment Guide for IM and Presence 9.0(1), multi-node planning chapter"
)
DEPLOYMENT_91 = "Deployment Guide for IM and Presence 9.1(1), intercluster chapter"
PLANNING_125 = (
    "Configuration and Administration Guide for IM and Presence 12.5(1),"
    " Plan the System"
)
PEERS_125 = (
    "Configuration and Administration Guide for IM and Presence 12.5(1)SU2,"
    " Configure Intercluster Peers"
)
CONTACTS_125 = (
    "Configuration and Administration Guide for IM and Presence, bulk administration"
    " of contact lists"
)
SIZING_14 = (
    "Preferred Architecture for Cisco Collaboration 14 Enterprise On-Premises, Sizing"
)
FEDERATION_125 = (
    "Partitioned Intradomain Federation Guide 12.5(1), Planning for User Migration"
)


@dataclass(frozen=True)
class Figure:
    """A number, where it is published, and what else must be known of it.

    Args:
        derived: calculated from published figures, not printed anywhere itself.
    """

    value: int
    source: str
    derived: bool = False
    note: str = ""


@dataclass(frozen=True)
class Platform:
    """A server model or a virtual machine template, and how many users it is for."""

    key: str
    label: str
    users: Figure
    template: bool = True


def _models() -> list[Platform]:
    sizes = {"7816": 500, "7825": 1_000, "7835": 2_500, "7845": 5_000}
    return [
        Platform(f"mcs{n}", f"MCS-{n}", Figure(size, SERVER_MODELS), template=False)
        for n, size in sizes.items()
    ]


def _templates() -> list[Platform]:
    sizes = {
        1_000: FEDERATION_125,
        5_000: SIZING_14,
        15_000: PLANNING_125,
        25_000: PLANNING_125,
    }
    return [
        Platform(f"ova{size}", f"{size:,}-user template", Figure(size, source))
        for size, source in sizes.items()
    ]


PLATFORMS: Mapping[str, Platform] = {
    one.key: one for one in (*_models(), *_templates())
}


@dataclass(frozen=True)
class ReleaseLimits:
    """What is published of one release.

    Args:
        by_platform: users per cluster by platform; then `per_cluster` is that of the
            largest.
        disputed: users per cluster as published in contradiction; not used.
        average_contacts: contacts per user for which the capacity holds.
        smallest: users of the smallest template that a cluster with peers may have.
    """

    name: str
    per_node: Figure | None = None
    per_cluster: Figure | None = None
    by_platform: Mapping[str, Figure] = field(default_factory=dict)
    nodes: Figure | None = None
    disputed: tuple[Figure, ...] = ()
    average_contacts: Figure | None = None
    contact_list: Figure | None = None
    watchers: Figure | None = None
    smallest: Figure | None = None
    mesh_clusters: Figure | None = None

    @property
    def published(self) -> bool:
        figures = (self.per_node, self.per_cluster, *self.disputed, *self.by_platform)
        return any(figures)


CUP_7 = ReleaseLimits(
    "7.x",
    per_node=Figure(5_000, MULTI_NODE_7),
    per_cluster=Figure(30_000, MULTI_NODE_7),
    nodes=Figure(6, MULTI_NODE_7),
    average_contacts=Figure(100, MULTI_NODE_7),
    contact_list=Figure(200, MULTI_NODE_7),
)
CUP_86 = ReleaseLimits(
    "8.6",
    per_cluster=Figure(45_000, DEPLOYMENT_86),
    nodes=Figure(6, DEPLOYMENT_86, derived=True),
)
IMP_90 = ReleaseLimits(
    "9.0",
    per_node=Figure(15_000, DEPLOYMENT_90),
    nodes=Figure(6, DEPLOYMENT_90),
    disputed=(
        Figure(45_000, DEPLOYMENT_90),
        Figure(30_000, DEPLOYMENT_90, note="without high availability"),
    ),
)
IMP_125 = ReleaseLimits(
    "12.5",
    per_node=Figure(25_000, PLANNING_125, note="full UC mode"),
    per_cluster=Figure(75_000, PLANNING_125, note="with the 25,000-user template"),
    by_platform={
        "ova25000": Figure(75_000, PLANNING_125),
        "ova15000": Figure(45_000, PLANNING_125),
    },
    nodes=Figure(6, PLANNING_125),
    contact_list=Figure(200, CONTACTS_125, note="default; can be set to no limit"),
    watchers=Figure(200, CONTACTS_125, note="default; can be set to no limit"),
    smallest=Figure(15_000, PEERS_125),
    mesh_clusters=Figure(30, PEERS_125),
)
PAIR = "one pair of nodes, simplified sizing"
IMP_14 = ReleaseLimits(
    "14",
    by_platform={
        "ova5000": Figure(5_000, SIZING_14, note=PAIR),
        "ova15000": Figure(15_000, SIZING_14, note=PAIR),
    },
    smallest=Figure(15_000, SIZING_14),
)
RELEASES = (CUP_7, CUP_86, IMP_90, IMP_125, IMP_14)


def release_of(version: str, generation: str | None = None) -> ReleaseLimits:
    """The figures of a version such as `12.5.1.10000-22`, if there are any."""
    found = re.match(r"\s*(\d{1,3})(?:\.(\d{1,3}))?", version or "")
    if not found:
        return CUP_7 if generation == "cup7" else ReleaseLimits("")
    major, minor = int(found[1]), int(found[2] or 0)
    names = {f"{major}.{minor}", f"{major}.x", str(major)}
    known = (one for one in RELEASES if one.name in names)
    return next(known, ReleaseLimits(f"{major}.{minor}"))


@dataclass(frozen=True)
class PublishedLimits:
    """The figures that hold for one cluster; None where nothing is published."""

    per_node: Figure | None
    per_cluster: Figure | None
    nodes: Figure | None


def limits_of(release: ReleaseLimits, platform: Platform | None) -> PublishedLimits:
    """Narrow the figures of a release to the platform of the cluster's nodes."""
    per_cluster = release.per_cluster
    if platform is None:
        return PublishedLimits(release.per_node, per_cluster, release.nodes)
    if release.by_platform:
        per_cluster = release.by_platform.get(platform.key)
    per_node = _lower(release.per_node, platform.users)
    if per_cluster and release.nodes and not release.by_platform:
        most = platform.users.value * release.nodes.value
        per_cluster = _lower(per_cluster, replace(platform.users, value=most))
    return PublishedLimits(per_node, per_cluster, release.nodes)


def _lower(published: Figure | None, other: Figure) -> Figure | None:
    """The lower one; nothing where the release has no figure of its own."""
    if published is None or published.value <= other.value:
        return published
    return replace(other, derived=True)


LABELS = (
    ("per_node", "Users per node"),
    ("per_cluster", "Users per cluster"),
    ("nodes", "Nodes per cluster"),
    ("average_contacts", "Contacts per user on average, for this capacity"),
    ("contact_list", "Contacts per user"),
    ("watchers", "Watchers per user"),
    ("smallest", "Users of the smallest template in a mesh"),
    ("mesh_clusters", "Clusters in a mesh"),
)


def published_figures() -> Iterator[tuple[str, str, Figure]]:
    """Every figure: the release or platform, what it limits, and the figure."""
    for release in RELEASES:
        for name, label in LABELS:
            if figure := getattr(release, name):
                yield release.name, label, figure
        for key, figure in release.by_platform.items():
            yield release.name, f"Users per cluster, {PLATFORMS[key].label}", figure
        for figure in release.disputed:
            yield release.name, "Users per cluster, contradictory and not used", figure
    for platform in PLATFORMS.values():
        if not platform.template:
            yield "6.x, 7.x", f"Users per node, {platform.label}", platform.users
