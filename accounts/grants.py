"""What the groups of a provider or directory give: a role, and the clusters with it.

A group is mapped on the page *Groups*, or to a role for all clusters by the setting
`CUPADMIN_*_ROLES`; the page comes first. Of several groups the highest role counts,
with the clusters of the groups that give it: no role reaches clusters that its own
groups do not give.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from accounts import audit, users, web_providers
from accounts.audit import Actor
from accounts.identity_settings import Admission
from accounts.models import ClusterLimit, GroupMapping, Identity
from accounts.roles import Role

NO_GROUP = "None of your groups has a role on this console."
NOT_REQUIRED = "You are not in the group that may use this console."


class NoGrant(Exception):
    """Groups decide here, and these give nothing."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Grant:
    """A role and its clusters, none for all; and the groups that give them."""

    role: Role
    clusters: Collection[str] = ()
    groups: Collection[str] = ()


def configured_rules() -> dict[str, Admission]:
    """Return the settings of each provider or directory that is set up."""
    known = web_providers.configured_providers()
    found = {kind: provider.config.admission for kind, provider in known.items()}
    if settings.LDAP is not None:
        found[Identity.Provider.LDAP.value] = settings.LDAP.admission
    if settings.PROXY_HEADER is not None:
        found[Identity.Provider.PROXY.value] = settings.PROXY_HEADER.admission
    return found


def admission_of(provider: str) -> Admission | None:
    return configured_rules().get(provider)


def mapped_grants(provider: str, rules: Admission) -> dict[str, Grant]:
    """Return what each mapped group gives."""
    found = {
        group: Grant(Role(role), groups=[group]) for group, role in rules.roles.items()
    }
    for row in GroupMapping.objects.filter(provider=provider):
        found[row.group] = Grant(Role(row.role), row.clusters, [row.group])
    return found


def grant_of(provider: str, groups: Collection[str], rules: Admission) -> Grant | None:
    """Return what these groups give; None while no group is mapped at all.

    Raises:
        NoGrant: the required group is not among them; or none of them is mapped, and
            there is no default role.
    """
    if rules.required_group and rules.required_group not in groups:
        raise NoGrant(NOT_REQUIRED, "required_group")
    table = mapped_grants(provider, rules)
    if not table:
        return None
    held = [table[group] for group in groups if group in table]
    if not held and not rules.default_role:
        raise NoGrant(NO_GROUP, "no_group")
    return highest_grant(held) if held else Grant(Role(rules.default_role))


def highest_grant(held: Collection[Grant]) -> Grant:
    role = max((grant.role for grant in held), key=lambda role: role.rank)
    best = [grant for grant in held if grant.role == role]
    everywhere = any(not grant.clusters for grant in best)
    clusters = set() if everywhere else {pk for one in best for pk in one.clusters}
    groups = [group for grant in best for group in grant.groups]
    return Grant(role, sorted(clusters), sorted(groups))


def apply_grant(user: User, grant: Grant, actor: Actor) -> bool:
    """Store role and clusters where they differ; return whether they did.

    A limit that was set manually stays where the groups give all clusters.

    Raises:
        LastAdministrator: nobody else could administer the console.
    """
    row = ClusterLimit.objects.filter(user=user).first()
    granted = sorted(grant.clusters)
    set_manually = row is not None and not row.by_groups and not granted
    same_clusters = set_manually or granted == (sorted(row.clusters) if row else [])
    if users.role_of_fresh(user) == grant.role and same_clusters:
        return False
    clusters = None if set_manually else granted
    users.save_user(user, grant.role, actor, clusters, by_groups=True)
    return True


def by_groups_of(user: User) -> tuple[Identity, Grant] | None:
    """Return what the groups of the user's last sign-in give now, if they decide."""
    identity = Identity.objects.filter(user=user).order_by("-last_login").first()
    rules = admission_of(identity.kind) if identity else None
    if identity is None or rules is None or identity.groups is None:
        return None
    try:
        grant = grant_of(identity.kind, identity.groups, rules)
    except NoGrant:
        return None
    return (identity, grant) if grant else None


@transaction.atomic
def apply_to_all(actor: Actor) -> int:
    """Bring all accounts up to date with the mapping; return how many changed.

    Groups are those of the last sign-in; accounts whose groups are unknown wait for
    their next one.

    Raises:
        LastAdministrator: nobody could administer the console any more.
    """
    known = Identity.objects.filter(user__is_active=True).select_related("user")
    last = {one.user_id: one for one in known.order_by("last_login")}
    return sum(apply_to(identity, actor) for identity in last.values())


def apply_to(identity: Identity, actor: Actor) -> bool:
    """Bring the account up to date; return whether it changed."""
    rules = admission_of(identity.kind)
    if rules is None or identity.groups is None:
        return False
    try:
        grant = grant_of(identity.kind, identity.groups, rules)
    except NoGrant:
        # Who has a password here as well keeps what an administrator gave.
        own_password = identity.user.has_usable_password()
        return not own_password and users.withdraw_role(identity.user, actor)
    return grant is not None and apply_grant(identity.user, grant, actor)


def why_not_mapped(provider: str) -> str:
    """Why no group of this provider can be mapped; empty where it can be."""
    if provider not in configured_rules():
        return "This provider is not set up on this console."
    return why_no_groups(provider)


def why_no_groups(provider: str) -> str:
    """Why nothing is known of the groups of this provider; empty where it is."""
    directory, proxy = settings.LDAP, settings.PROXY_HEADER
    if provider == Identity.Provider.LDAP and directory and not directory.group_base:
        return "CUPADMIN_LDAP_GROUP_BASE must say where groups are."
    if provider == Identity.Provider.PROXY and proxy and not proxy.groups:
        return "CUPADMIN_PROXY_GROUPS_HEADER must name the header with the groups."
    return ""


def save_mapping(row: GroupMapping, actor: Actor) -> int:
    """Store a mapping and apply it; return how many accounts it changed.

    Raises:
        LastAdministrator: nobody could administer the console any more.
    """
    with transaction.atomic():
        stored = GroupMapping.objects.filter(pk=row.pk).first()
        row.save()
        action = "edit group mapping" if stored else "add group mapping"
        old = describe_mapping(stored) if stored else {}
        audit.append_entry(
            actor, action, row, audit.differences(old, describe_mapping(row))
        )
        return apply_to_all(actor)


def delete_mapping(row: GroupMapping, actor: Actor) -> int:
    """Delete a mapping and apply what is left; return how many accounts changed.

    Raises:
        LastAdministrator: nobody could administer the console any more.
    """
    with transaction.atomic():
        changes = audit.differences(describe_mapping(row), {})
        audit.append_entry(actor, "delete group mapping", row, changes)
        row.delete()
        return apply_to_all(actor)


def describe_mapping(row: GroupMapping) -> dict[str, object]:
    return {
        "provider": row.get_provider_display(),
        "group": row.group,
        "role": row.role,
        "clusters": users.cluster_names(row.clusters),
    }
