"""The Inter-Clustering section: presence domains and IM address schemes."""

from functools import partial

from clusters.addressing import different_domains, different_schemes, unknown_schemes
from clusters.models import AddressScheme
from diagnostics.addressing import addressing_of, scheme_of_users
from diagnostics.judge.evidence import address_schemes, im_addresses
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.sources import Source
from diagnostics.judge.tests import ClusterView, Level, Section, register_test
from diagnostics.judge.verdict import (
    PASSED,
    Verdict,
    information,
    listed_texts,
    warning,
)

_peer = partial(register_test, Section.INTER_CLUSTERING, Level.PEER)
_cluster = partial(register_test, Section.INTER_CLUSTERING, Level.CLUSTER)

EDIT = "Correct the cluster in the console, or the setting on the cluster."


@_peer(
    "same_domain",
    "Verify that both clusters of each peering have the same presence domain.",
    asks="the domains that the console holds",
    warning="They differ.",
    information="One of them is not entered.",
    remedy="Enter the domains as the clusters have them; peers need the same one.",
    sources=[Source.GUIDE_12_SU1],
)
def same_domain(view: PeerView) -> Verdict | None:
    if view.remote is None:
        return None
    if missing := [one.name for one in (view.home, view.remote) if not one.domain]:
        return information(
            f"The presence domain of {listed_texts(missing)} is not entered."
        )
    both = addressing_of(view.home), addressing_of(view.remote)
    if problem := different_domains(*both):
        return warning(problem, EDIT)
    return PASSED


@_peer(
    "same_address_scheme",
    "Verify that both clusters of each peering use the same IM address scheme.",
    asks="what was entered in the console, otherwise the release, otherwise the IM "
    "addresses of up to 500 users",
    warning="They differ.",
    information="The scheme of a cluster is not known.",
    remedy="Use the same scheme on all clusters of the mesh.",
    sources=[Source.GUIDE_12_SU1],
    evidence=address_schemes,
)
def same_address_scheme(view: PeerView) -> Verdict | None:
    if view.remote is None:
        return None
    both = addressing_of(view.home), addressing_of(view.remote)
    if missing := unknown_schemes(*both):
        return information(
            f"The IM address scheme of {listed_texts(missing)} is not known.",
            "Enter it on the page of the cluster.",
        )
    if problem := different_schemes(*both):
        return warning(problem, EDIT)
    return PASSED


@_cluster(
    "stated_address_scheme",
    "Verify that the IM addresses of users follow the scheme that was entered.",
    asks="the IM addresses of up to 500 users",
    warning="All addresses that show a scheme follow the other one.",
    information="They show no scheme, or could not be read.",
    remedy=EDIT,
    sources=[Source.GUIDE_12_SU1],
    evidence=lambda view: im_addresses(view.cluster),
)
def stated_address_scheme(view: ClusterView) -> Verdict | None:
    stated, found = view.cluster.address_scheme, scheme_of_users(view.cluster)
    if not stated:
        return None
    if not found:
        return information("The users' IM addresses do not show which scheme is used.")
    if stated != found:
        label = AddressScheme(found).label
        return warning(f"The IM addresses of its users follow {label}.", EDIT)
    return PASSED
