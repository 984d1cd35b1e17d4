"""How a cluster addresses its users, by what was entered and what its users show."""

from clusters.addressing import Addressing, only_scheme_of
from clusters.models import AddressScheme
from diagnostics.facts import ClusterFacts, ImAddress


def addressing_of(cluster: ClusterFacts) -> Addressing:
    known = cluster.address_scheme or only_scheme_of(cluster.version.value or "")
    found = "" if known else scheme_of_users(cluster)
    return Addressing(cluster.name, cluster.domain, known or found, bool(found))


def scheme_of_users(cluster: ClusterFacts) -> str:
    """The scheme that the cluster's own users follow; nothing unless all agree."""
    users = cluster.im_addresses.value or ()
    own = {name: cluster.owns(name) for name in {user.node for user in users}}
    found = {scheme_of(user) for user in users if own[user.node]} - {""}
    return found.pop() if len(found) == 1 else ""


def scheme_of(user: ImAddress) -> str:
    """The scheme of one IM address; nothing where it would be the same by both."""
    address = user.im_address.strip().casefold()
    by_uri = bool(address) and address == user.directory_uri.strip().casefold()
    # A user id may hold an @ itself.
    head, at, host = address.rpartition("@")
    by_id = bool(at and host) and head == user.userid.strip().casefold()
    if by_uri == by_id:
        return ""
    scheme = AddressScheme.DIRECTORY_URI if by_uri else AddressScheme.USER_ID
    return scheme.value
