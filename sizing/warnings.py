"""The rules of sizing: what is over a limit, near it, or cannot be checked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sizing.deployment import ClusterSize, Deployment, Direction
from sizing.limits import DEPLOYMENT_91, PLANNING_125, Figure
from sizing.load import SOURCE

# From here on a limit is called near; these thresholds are this console's.
NEAR_PERCENT = 80
MONTHS = 12
LINK_PERCENT = 75
XCP_TRACE_USERS = 75_000
FAILED, WARNING, UNKNOWN, INFORMATION = "failed", "warning", "unknown", "information"
SEVERITIES = (FAILED, WARNING, UNKNOWN, INFORMATION)


@dataclass(frozen=True)
class SizingWarning:
    """One finding.

    Args:
        cluster: the key of the cluster that it is about; empty for the mesh.
        source: where the figure is published; empty where there is none.
    """

    code: str
    severity: str
    sentence: str
    source: str = ""
    cluster: str = ""


ClusterRule = Callable[[ClusterSize], Iterator[SizingWarning]]
MeshRule = Callable[[Deployment], Iterator[SizingWarning]]


def users_known(one: ClusterSize) -> Iterator[SizingWarning]:
    if one.users is None:
        yield SizingWarning(
            "users-unknown",
            UNKNOWN,
            f"The users of {one.name} are not known; its limits are not checked.",
        )


def limit_published(one: ClusterSize) -> Iterator[SizingWarning]:
    if not one.release.name:
        yield SizingWarning(
            "release-unknown",
            UNKNOWN,
            f"The release of {one.name} is not known; its limits are not checked.",
        )
    elif one.limit is None and not one.release.disputed:
        what = f"{one.release.name} with this platform" if one.platform else ""
        what = what or f"release {one.release.name}"
        yield SizingWarning(
            "limit-unknown",
            UNKNOWN,
            f"No user limit is published for {what}; {one.name} is not checked.",
        )


def limit_disputed(one: ClusterSize) -> Iterator[SizingWarning]:
    """Two published figures contradict each other: say so, use neither."""
    figures = one.release.disputed
    lowest = min((f.value for f in figures), default=0)
    if figures and one.users is not None:
        listed = " and ".join(f"{f.value:,}" for f in figures)
        yield SizingWarning(
            "limit-disputed",
            WARNING if one.users > lowest else UNKNOWN,
            f"Published user limits for release {one.release.name} contradict each"
            f" other ({listed}); {one.name} has {one.users:,} users.",
            figures[0].source,
        )


def users_within(one: ClusterSize) -> Iterator[SizingWarning]:
    limit = one.limit
    if limit is None or one.users is None:
        return
    sentence = f"{one.name} has {one.users:,} of {limit.value:,} users."
    if one.users > limit.value:
        yield SizingWarning("users-over-limit", FAILED, sentence, limit.source)
    elif 100 * one.users >= NEAR_PERCENT * limit.value:
        yield SizingWarning("users-near-limit", WARNING, sentence, limit.source)


def limit_not_soon(one: ClusterSize) -> Iterator[SizingWarning]:
    months = one.months_left
    if months and months <= MONTHS and one.limit:
        yield SizingWarning(
            "limit-soon",
            WARNING,
            f"{one.name} grows by {one.growth:,.0f} users in 30 days; it reaches"
            f" {one.limit.value:,} users in {months:.0f} months.",
            one.limit.source,
        )


def platform_known(one: ClusterSize) -> Iterator[SizingWarning]:
    """Where the limit depends on the template, the largest is not taken for granted."""
    if one.platform or not one.release.by_platform or one.users is None:
        return
    figures = sorted(one.release.by_platform.values(), key=lambda f: f.value)
    # The limit itself warns of what no template carries.
    sentence = (
        f"The template of {one.name} is not known; it decides how many users the"
        f" cluster carries ({' or '.join(f'{f.value:,}' for f in figures)})."
    )
    over = one.users > figures[0].value
    yield SizingWarning(
        "platform-unknown", WARNING if over else UNKNOWN, sentence, figures[0].source
    )


def nodes_within(one: ClusterSize) -> Iterator[SizingWarning]:
    most = one.limits.nodes
    if most and one.nodes > most.value:
        yield SizingWarning(
            "nodes-over-limit",
            FAILED,
            f"{one.name} has {one.nodes} nodes; a cluster has at most {most.value}.",
            most.source,
        )


def node_users_within(one: ClusterSize) -> Iterator[SizingWarning]:
    limit = one.limits.per_node
    if limit is None:
        return
    for name, users in sorted(one.node_users.items()):
        if users > limit.value:
            yield SizingWarning(
                "node-over-limit",
                FAILED,
                f"Node {name} of {one.name} has {users:,} of {limit.value:,} users.",
                limit.source,
            )


def carried_by_nodes(one: ClusterSize) -> Iterator[SizingWarning]:
    carried, per_node = one.carried, one.limits.per_node
    if carried is None or per_node is None or one.users is None:
        return
    if one.users > carried:
        why = " when a node fails" if one.redundant else ""
        yield SizingWarning(
            "nodes-too-few",
            WARNING,
            f"The {one.nodes} nodes of {one.name} carry {carried:,} users{why}; it has"
            f" {one.users:,}.",
            per_node.source,
        )


def needs_another_cluster(one: ClusterSize) -> Iterator[SizingWarning]:
    plan, most = one.needed, one.limits.nodes
    if plan and most and not plan.fits:
        yield SizingWarning(
            "another-cluster",
            FAILED,
            f"{one.name} needs {plan.nodes} nodes for its users; a cluster has at most"
            f" {most.value}. Add another cluster.",
            most.source,
        )


def groups_survive(one: ClusterSize) -> Iterator[SizingWarning]:
    """When a node of a group fails, the other must carry the users of both."""
    limit = one.limits.per_node
    if limit is None:
        return
    for group in one.groups:
        users = group.users
        if group.redundant and users is not None and users > limit.value:
            yield SizingWarning(
                "group-over-limit",
                WARNING,
                f"When a node of group {group.name} of {one.name} fails, the other"
                f" must carry {users:,} users; a node carries {limit.value:,}.",
                limit.source,
            )


def trace_level(one: ClusterSize) -> Iterator[SizingWarning]:
    if one.release.name == "12.5" and (one.users or 0) >= XCP_TRACE_USERS:
        yield SizingWarning(
            "trace-level",
            INFORMATION,
            f"{one.name} has {one.users:,} users: set the trace level of the XCP Router"
            " to Error.",
            PLANNING_125,
        )


def clusters_within(here: Deployment) -> Iterator[SizingWarning]:
    limit, number = here.limit, len(here.clusters)
    if limit is None:
        return
    sentence = f"{number} clusters; a mesh has at most {limit.value}."
    if number > limit.value:
        yield SizingWarning("mesh-over-limit", FAILED, sentence, limit.source)
    elif number >= limit.value * NEAR_PERCENT / 100:
        yield SizingWarning("mesh-near-limit", WARNING, sentence, limit.source)


def templates_large_enough(here: Deployment) -> Iterator[SizingWarning]:
    """With peers, each cluster needs the smallest template for a mesh or a larger."""
    if len(here.clusters) < 2:
        return
    for one in here.clusters:
        least, platform = one.release.smallest, one.platform
        if least and platform and platform.users.value < least.value:
            yield SizingWarning(
                "template-too-small",
                FAILED,
                f"{one.name} has {platform.label}; a cluster with peers needs the"
                f" {least.value:,}-user template or a larger one.",
                least.source,
                one.key,
            )


def hardware_similar(here: Deployment) -> Iterator[SizingWarning]:
    """Release 9.x asks for similar hardware on all clusters."""
    platforms = {one.platform.label for one in here.clusters if one.platform}
    nines = [one for one in here.clusters if one.release.name.startswith("9.")]
    if nines and len(platforms) > 1:
        yield SizingWarning(
            "hardware-differs",
            WARNING,
            f"The clusters have different platforms ({', '.join(sorted(platforms))});"
            f" {nines[0].name} has release {nines[0].release.name}, which needs similar"
            " hardware on all clusters.",
            DEPLOYMENT_91,
        )


def contacts_within(here: Deployment) -> Iterator[SizingWarning]:
    contacts = here.profile.contacts_per_user
    for one in here.clusters:
        listed, average = one.release.contact_list, one.release.average_contacts
        if listed and contacts > listed.value:
            yield over_list("contacts", contacts, listed, one)
        elif average and contacts > average.value:
            yield SizingWarning(
                "contacts-over-average",
                WARNING,
                f"The capacity of {one.name} is published for {average.value} contacts"
                f" per user; the profile has {contacts:g}.",
                average.source,
                one.key,
            )


def watchers_within(here: Deployment) -> Iterator[SizingWarning]:
    watchers = here.profile.watchers_per_user
    for one in here.clusters:
        listed = one.release.watchers
        if listed and watchers > listed.value:
            yield over_list("watchers", watchers, listed, one)


def over_list(
    what: str, number: float, most: Figure, one: ClusterSize
) -> SizingWarning:
    note = f" ({most.note})" if most.note else ""
    return SizingWarning(
        f"{what}-over-limit",
        WARNING,
        f"The profile has {number:g} {what} per user; release {one.release.name} of"
        f" {one.name} allows {most.value}{note}.",
        most.source,
        one.key,
    )


def links_within(here: Deployment) -> Iterator[SizingWarning]:
    """The load of our own model against the link; one finding for each severity."""
    loaded = [one for one in here.directions if (one.link_percent or 0) > LINK_PERCENT]
    over = [one for one in loaded if (one.link_percent or 0) > 100]
    near = [one for one in loaded if one not in over]
    for severity, found in ((FAILED, over), (WARNING, near)):
        if found:
            yield SizingWarning(
                "link-saturated", severity, saturated_links(found), SOURCE
            )


def saturated_links(found: list[Direction]) -> str:
    """Name the first, which is the heaviest, and count the others."""
    first, others = found[0], len(found) - 1
    rest = f" Other directions over {LINK_PERCENT} %: {others}." if others else ""
    return (
        f"The load from {first.sender.name} to {first.receiver.name} is"
        f" {first.kbit_per_second:,} kbit/s, {first.link_percent:.0f} % of the"
        f" link.{rest}"
    )


CLUSTER_RULES: tuple[ClusterRule, ...] = (
    users_known,
    limit_published,
    limit_disputed,
    users_within,
    limit_not_soon,
    platform_known,
    nodes_within,
    node_users_within,
    carried_by_nodes,
    groups_survive,
    needs_another_cluster,
    trace_level,
)
MESH_RULES: tuple[MeshRule, ...] = (
    clusters_within,
    templates_large_enough,
    hardware_similar,
    contacts_within,
    watchers_within,
    links_within,
)


def find_warnings(here: Deployment) -> list[SizingWarning]:
    """What the rules find, the worst first."""
    found = [w for rule in MESH_RULES for w in rule(here)]
    for one in here.clusters:
        for rule in CLUSTER_RULES:
            found += [replace_cluster(w, one.key) for w in rule(one)]
    return sorted(found, key=lambda w: SEVERITIES.index(w.severity))


def replace_cluster(one: SizingWarning, cluster: str) -> SizingWarning:
    return SizingWarning(one.code, one.severity, one.sentence, one.source, cluster)
