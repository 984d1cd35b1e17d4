"""What is true of one peer: the judgements behind its twelve entries."""

from urllib.parse import urlencode

from diagnostics.facts import ClusterFacts, NodeFacts
from diagnostics.judge.peer_view import PeerView
from diagnostics.judge.verdict import (
    FIX_FIRST,
    PASSED,
    Fix,
    Verdict,
    caused_by,
    failed,
    information,
    listed_texts,
    not_judged,
    not_known,
    unknown,
    warning,
)
from wire import Code

EXPIRES_SOON = 30
STATUSES, UNKNOWN_STATUS = {"started", "stopped", "starting", "stopping"}, "unknown"
# A dead first DNS server delays every look-up, by milliseconds.
SLOW_NAME = 5000.0
# The answer came from AXL itself, so the service is up whatever it said.
ANSWERED = {Code.UNAUTHORIZED, Code.FORBIDDEN, Code.FAULT, Code.THROTTLED}
# Nothing was sent, because the node did not prove who it is.
UNPROVEN = {
    Code.CERTIFICATE_CHANGED,
    Code.CERTIFICATE_INVALID,
    Code.CERTIFICATE_UNKNOWN,
}
NOT_MANAGED = "The remote cluster is not managed by this console."
ADD_CLUSTER = "Add the remote cluster, so that both entries can be checked."


def judge_address(view: PeerView) -> Verdict:
    peer = view.peer
    if peer.resolution.failure:
        failure = peer.resolution.failure
        return failed(
            failure.message,
            failure.remedy,
            view.address_field,
        )
    if not peer.resolution.known:
        return unknown("Whether the address resolves is not known.", peer.resolution)
    target = view.target
    if view.remote and target is None:
        return failed(
            f"{peer.address} leads to none of the known nodes of {view.remote.name}.",
            "Enter the remote publisher's node name or address, or discover the "
            "remote cluster again.",
            view.address_field,
        )
    if target and not target.publisher:
        return warning(
            f"{peer.address} is {target.name}, which is not the publisher of its "
            "cluster.",
            "Enter the address of the remote publisher.",
            view.address_field,
        )
    duration_ms = peer.resolution.duration_ms or 0
    if duration_ms > SLOW_NAME:
        return warning(
            f"The look-up of {peer.address} took {duration_ms / 1000:.0f} s.",
            "Check the DNS servers: a dead first server delays every look-up.",
        )
    return PASSED


def judge_connect(view: PeerView) -> Verdict:
    answer = view.peer.connect
    if answer.failure:
        return failed(answer.failure.message, answer.failure.remedy, view.page)
    if not answer.known:
        return not_judged("No connection could be tried.", answer, "the address")
    return PASSED


def judge_certificate(view: PeerView) -> Verdict:
    answer, target = view.peer.certificate, view.target
    page = Fix("clusters:certificate", target.id) if target else None
    if view.peer.axl.code in UNPROVEN - {Code.CERTIFICATE_UNKNOWN}:
        failure = view.peer.axl.failure
        return failed(failure.message, failure.remedy, page)  # type: ignore[union-attr]
    if answer.failure and view.peer.connect.known:
        return failed(answer.failure.message, answer.failure.remedy, page)
    if answer.value is None:
        what = "The certificate could not be read."
        return not_judged(what, answer, "no connection")
    days = answer.value.days_left(view.at)
    if days < 0:
        return failed(
            f"The certificate expired {-days} days ago.",
            "Regenerate the node's Tomcat certificate, then confirm the new one.",
            page,
        )
    if target is None:
        return information(
            f"{NOT_MANAGED} Its certificate was read, and there is no confirmed one "
            "to compare it with.",
            ADD_CLUSTER,
            Fix(
                "clusters:add_cluster", query=urlencode({"address": view.peer.address})
            ),
        )
    if view.peer.axl.code == Code.CERTIFICATE_UNKNOWN:
        return information(view.peer.axl.reason, view.peer.axl.remedy, page)
    if days < EXPIRES_SOON:
        return warning(
            f"The certificate expires in {days} days.",
            "Plan its renewal; the new one must be confirmed here.",
            page,
        )
    return PASSED


def judge_axl(view: PeerView) -> Verdict:
    answer = view.peer.axl
    if answer.known or answer.code in ANSWERED:
        return PASSED
    if answer.failure is None:
        return _not_tried(view, "AXL was not tested.")
    if view.peer.connect.failure:
        return caused_by("AXL did not answer.", "no connection")
    if answer.code in UNPROVEN:
        return _unproven("AXL was not tested")
    node = Fix("services:show", view.target.id) if view.target else view.page
    return failed(answer.failure.message, answer.failure.remedy, node)


def judge_credentials(view: PeerView) -> Verdict:
    answer = view.peer.axl
    if answer.known:
        return PASSED
    if answer.failure is None:
        return _not_tried(view, "The user name and password were not sent.")
    if answer.code in UNPROVEN:
        return _unproven("The user name and password were not sent")
    if answer.code in (Code.UNAUTHORIZED, Code.FORBIDDEN, "secret"):
        page = Fix("peers:edit_peer", view.peer.id, field="password")
        return failed(answer.failure.message, answer.failure.remedy, page)
    return not_known(
        "Whether the user name and password are accepted is not known. Caused by: "
        f"{answer.failure.message}",
        answer.failure.remedy,
        view.page,
    )


def _not_tried(view: PeerView, what: str) -> Verdict:
    if view.remote is None:
        return needs_remote_cluster(what)
    return not_judged(what, view.peer.axl, "no connection to a known node")


def _unproven(what: str) -> Verdict:
    return not_known(
        f"{what}: credentials are sent only after the certificate is confirmed.",
        FIX_FIRST,
    )


def sync_agent_local(view: PeerView) -> Verdict:
    return sync_agent(view.home)


def sync_agent_remote(view: PeerView) -> Verdict:
    if view.remote is None:
        return needs_remote_cluster("The Intercluster Sync Agent there is not visible.")
    return sync_agent(view.remote)


def sync_agent(cluster: ClusterFacts) -> Verdict:
    """Judge the Intercluster Sync Agent on every node of a cluster."""
    name = cluster.profile.sync_agent
    if not cluster.nodes:
        return not_known(f"{cluster.name} has no nodes.", "Discover the cluster.")
    unread = [
        node for node in cluster.nodes if _status_of(node, name) == UNKNOWN_STATUS
    ]
    down = [
        f"{_status_of(node, name)} on {node.name}"
        for node in cluster.nodes
        if node not in unread and _status_of(node, name) != "started"
    ]
    if down:
        first = next(n for n in cluster.nodes if f"on {n.name}" in down[0])
        return failed(
            f"{name} is {listed_texts(down)}.",
            remedy_of(
                _status_of(first, name), "Start it on every node of the cluster."
            ),
            Fix("services:show", first.id),
        )
    if unread:
        names = listed_texts([node.name for node in unread])
        if unread[0].services.known:
            return not_known(f"The status of {name} on {names} is not understood.")
        return unknown(
            f"The services of {names} could not be read.", unread[0].services
        )
    return PASSED


def remedy_of(status: str, start: str) -> str:
    """What to do about a service: one that is on its way cannot be started."""
    if status == "starting":
        return "Wait until it has started; that may take minutes."
    if status == "stopping":
        return f"Wait until it has stopped. {start}"
    return start


def _status_of(node: NodeFacts, name: str) -> str:
    if not node.services.known:
        return UNKNOWN_STATUS
    service = node.service(name)
    return status_word(service.status) if service else "not installed"


def status_word(status: str) -> str:
    """Give a status in the words that are understood, any other as unknown."""
    word = status.strip().casefold()
    return word if word in STATUSES else UNKNOWN_STATUS


def needs_remote_cluster(what: str) -> Verdict:
    return not_known(f"{what} {NOT_MANAGED}", ADD_CLUSTER, Fix("clusters:add_cluster"))


def judge_sip(view: PeerView) -> Verdict:
    answer = view.peer.sip
    proxy = Fix("services:show", view.target.id) if view.target else view.page
    if answer.failure:
        return failed(answer.failure.message, answer.failure.remedy, proxy)
    if answer.value is None:
        return not_judged("SIP was not tried.", answer, "the address")
    if answer.value.peer_auth_refused:
        return information(
            "The SIP TLS port wants a client certificate, so SIP was not tested.",
            "Check the SIP TLS port of the node in the console: 5061 and 5062 are "
            "sometimes swapped.",
            view.page,
        )
    if not answer.value.up:
        return failed(
            f"SIP over {view.peer.protocol} answers {answer.value.status} "
            f"{answer.value.reason}.",
            "Check the SIP Proxy service on the remote publisher.",
            proxy,
        )
    return PASSED


def associated_users(view: PeerView) -> Verdict:
    """Compare the two counts, which come from one collection and one rule of names."""
    home, remote = view.home, view.remote
    if remote is None:
        return needs_remote_cluster("The number of users there is not visible.")
    for cluster in (home, remote):
        if cluster.counted is None:
            return unknown(f"The users of {cluster.name} are unknown.", cluster.users)
    here, there = view.users_here, view.users_there
    if here is not None and here == there:
        return PASSED
    for cluster, count in ((home, here), (remote, there)):
        if count is None and cluster.unlisted:
            return unlisted_users(cluster)
    if here is None or there is None:
        sentence = f"Several clusters have nodes of the same name as {remote.name}."
        return unknown(sentence, home.users)
    if 0 < there - here <= home.unlisted:
        return unlisted_users(home)
    size = abs(there - here)
    verb = "is" if size == 1 else "are"
    direction = f"{verb} missing" if here < there else f"{verb} too many"
    return failed(
        f"{home.name} has {here} users of {remote.name}, which has {there}: {size} "
        f"{direction} on {home.name}.",
        "Look at the entries above; when they are good, restart the Intercluster "
        "Sync Agent on the home publisher and allow it time.",
        Fix("peers:resync", view.peer.id),
    )


def unlisted_users(cluster: ClusterFacts) -> Verdict:
    return not_known(
        f"{cluster.name} has {cluster.unlisted} users on nodes that its node table "
        "does not list, so it is not known whose they are.",
        "Compare Associated Users on the clusters' own pages.",
    )
