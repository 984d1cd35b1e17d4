"""Certificates that clusters exchange: not trusted, replaced, or about to expire.

A peering that is broken for another reason does not carry certificates either: what its
own cause explains is not reported twice.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.urls import reverse

from clusters.models import Cluster
from exchange.judge import SOON_DAYS, TrustCheck, TrustState
from exchange.models import NodeCertificates
from exchange.pairs import TrustData, load_certificates
from exchange.reading import NO_ACCOUNT, OLDER, REFUSED_BEFORE
from overview.found import FAILED, UNKNOWN, WARNING, Affected, Found, ProblemBook
from peers.models import PeerOutcome
from wire import Code

SHOWN = 3


def report_certificates(book: ProblemBook) -> None:
    if not NodeCertificates.objects.exists():
        return
    found = load_certificates()
    missing: dict[str, list[TrustCheck]] = defaultdict(list)
    old: dict[tuple[str, str], list[TrustCheck]] = defaultdict(list)
    for check in failed_checks(found):
        if check.state is TrustState.MISSING:
            missing[check.home.cluster].append(check)
        elif check.state is TrustState.OLD:
            old[check.remote.id, check.service].append(check)
    for home, those in missing.items():
        report_missing(book, found, home, those)
    for those in old.values():
        report_old(book, found, those)
    report_expiry(book, found)
    report_unread(book)


def failed_checks(found: TrustData) -> Iterable[TrustCheck]:
    """Give the checks that failed; nearly all pairs are well, and cost a look."""
    for home, remote in found.pairs():
        there = found.clusters[remote]
        for node in found.clusters[home].nodes:
            if found.cell(node, there).state in (TrustState.MISSING, TrustState.OLD):
                yield from found.of_node(node, there).wrong


def report_missing(
    book: ProblemBook, found: TrustData, home: str, those: list[TrustCheck]
) -> None:
    """One cause at a cluster, whatever it does not trust."""
    peers = affected_peers(book, found, those)
    if not peers:
        return
    names = sorted({found.clusters[one.remote.cluster].name for one in those})
    text = (
        f"{found.clusters[home].name} does not trust the certificates of "
        f"{join_names(names)}."
    )
    url = f"{reverse('exchange:show')}?state=missing"
    cause = Found(
        f"trust_missing:{home}",
        "trust_missing",
        FAILED,
        text,
        url,
        UUID(home),
        touches=frozenset(UUID(one.remote.cluster) for one in those),
        whole=True,
    )
    book.report(cause).affect(*peers)


def report_old(book: ProblemBook, found: TrustData, those: list[TrustCheck]) -> None:
    """One cause at the node whose certificate was replaced."""
    first = those[0]
    if known := book.at_node[UUID(first.remote.id)]:
        # Its new certificate waits to be confirmed, and comes first.
        known[0].affect(*affected_peers(book, found, those))
        return
    peers = affected_peers(book, found, those)
    if not peers:
        return
    names = sorted({found.clusters[one.home.cluster].name for one in those})
    verb = "trusts" if len(names) == 1 else "trust"
    text = (
        f"{join_names(names)} still {verb} an old {first.service} certificate of "
        f"{first.remote.name}."
    )
    cause = Found(
        f"trust_old:{first.remote.id}:{first.service}",
        "trust_old",
        FAILED,
        text,
        f"{reverse('exchange:show')}?state=old",
        UUID(first.remote.cluster),
        touches=frozenset(UUID(one.home.cluster) for one in those),
        whole=True,
    )
    book.report(cause).affect(*peers)


def affected_peers(
    book: ProblemBook, found: TrustData, those: Iterable[TrustCheck]
) -> dict[Affected, None]:
    """The peers that suffer, but those whose trouble has a cause already."""
    rows = {str(row.pk): row for row in book.peers}
    peers: dict[Affected, None] = {}
    for one in those:
        pk = found.peers[one.home.cluster, one.remote.cluster]
        explained = book.of_peer[UUID(pk)]
        row = rows.get(pk)
        if row is not None and not (explained and row.outcome != PeerOutcome.PASSED):
            peers[row.affected] = None
    return peers


def join_names(names: list[str]) -> str:
    if len(names) > SHOWN:
        return f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def report_expiry(book: ProblemBook, found: TrustData) -> None:
    """What a node presents to others ends soon; its pinned one is reported already."""
    for node, service, one in found.identities():
        days = one.days_left(found.now) if one else None
        if one is None or days is None or days > SOON_DAYS:
            continue
        pk = UUID(node.id)
        if service == "tomcat" and pk in book.expiring:
            continue
        ended = days < 0
        code = "exchanged_expired" if ended else "exchanged_expiring"
        when = "has expired" if ended else f"expires on {one.not_after:%Y-%m-%d}"
        cause = Found(
            f"{code}:{node.id}:{service}",
            code,
            FAILED if ended else WARNING,
            f"The {service} certificate of {node.name} {when}.",
            reverse("clusters:show_node", args=[pk]),
            UUID(node.cluster),
        )
        label = Affected("node", node.id, node.name, node.cluster)
        book.report(cause).affect(label)


REFUSED = (str(Code.UNAUTHORIZED), str(Code.FORBIDDEN), REFUSED_BEFORE, "secret")


def report_unread(book: ProblemBook) -> None:
    """Certificates that an OS administrator is entered for, and that were not shown."""
    rows = NodeCertificates.objects.exclude(code__in=("", OLDER, NO_ACCOUNT))
    for row in rows.exclude(code=Code.NOT_OFFERED).select_related("node"):
        node = row.node
        cluster = book.clusters.get(node.cluster_id)
        if cluster is None or not cluster.os_username:
            continue
        known = book.at_node[node.pk]
        cause = (
            refused_account(cluster) if row.code in REFUSED else unread(row, cluster)
        )
        if row.code in REFUSED or not known:
            label = Affected("node", str(node.pk), node.name, str(node.cluster_id))
            book.report(cause).affect(label)


def refused_account(cluster: Cluster) -> Found:
    """The OS administrator of a cluster was refused at the last try."""
    page = reverse("clusters:edit_cluster", args=[cluster.pk])
    return Found(
        f"os_account_refused:{cluster.pk}",
        "os_account_refused",
        WARNING,
        f"{cluster.name} does not let its OS administrator read certificates.",
        f"{page}#id_os_password",
        cluster.pk,
    )


def unread(row: NodeCertificates, cluster: Cluster) -> Found:
    return Found(
        f"certificates_unread:{cluster.pk}:{row.code}",
        "certificates_unread",
        UNKNOWN,
        f"The certificates of {row.node} could not be read. {row.problem} "
        f"{row.solution}".strip(),
        reverse("clusters:show_node", args=[row.node_id]),
        cluster.pk,
    )
