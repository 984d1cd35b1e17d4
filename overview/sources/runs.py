"""What the troubleshooter found that no status shows."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from diagnostics.models import TroubleshooterResult, TroubleshooterRun
from overview.found import Affected, Found, ProblemBook

# So many clusters are named.
SHOWN = 3
Outcome = TroubleshooterResult.Outcome
WRONG = (Outcome.FAILED, Outcome.WARNING)
# Seen by the statuses as well, which are newer, or by the snapshots of the directory.
ELSEWHERE = {
    "address",
    "associated_users",
    "axl",
    "axl_user",
    "certificate",
    "certificate_expiry",
    "certificates_exchanged",
    "connect",
    "control_center",
    "credentials",
    "mesh_complete",
    "node_axl",
    "node_certificate",
    "node_reachable",
    "protocol_match",
    "provisioned",
    "reverse_peer",
    "shared_mails",
    "shared_uris",
    "shared_userids",
    "sip",
    "sync_agent",
    "unknown_entries",
}
# What peers see of it: that SIP does not answer.
SIP = {"sip_proxy_service", "sip_answers", "sip_tls_answers"}
# What each cluster shows of its own users and of the copies of its peers' users, so
# that one user is seen on all of them; and what the directory's snapshots call it.
USERS = {
    "unique_userids": "duplicate_userids",
    "unique_uris": "duplicate_uris",
    "unique_mails": "duplicate_mails",
    "uri_configured": "",
    "valid_uris": "",
}
# What one result is about.
Subject = tuple[str, Any, Any, Any]


def report_runs(book: ProblemBook) -> None:
    known = {(found.code, found.cluster) for found in book.found.values()}
    users: dict[str, list[TroubleshooterResult]] = defaultdict(list)
    for row in current_results().values():
        if row.code in ELSEWHERE or "caused_by" in row.details or row.compared:
            continue
        if row.code in USERS and not row.by_cluster:
            users[row.code].append(row)
            continue
        if row.node_id and book.at_node[row.node_id]:
            continue
        if row.code in SIP and ("peer_sip", row.cluster_id) in known:
            continue
        report_row(book, row)
    for code, rows in users.items():
        if USERS[code] not in book.found:
            report_users(book, sorted(rows, key=lambda row: row.cluster_name))


def report_users(book: ProblemBook, rows: list[TroubleshooterResult]) -> None:
    """Report users once, whichever clusters show them."""
    first, others = rows[0], [row.cluster_name for row in rows[1:]]
    also = f" Also found on {others_text(others)}." if others else ""
    ids = [row.cluster_id for row in rows if row.cluster_id]
    url = first.fix_url
    found = Found(
        f"test:{first.code}",
        f"test_{first.code}",
        first.outcome,
        f"{sentence_of(first)}{also}",
        # All clusters, not only the first.
        url.partition("&cluster=")[0] if others else url,
        first.cluster_id,
        touches=frozenset(ids),
        whole=True,
        since=first.run.finished_at,
    )
    labels = (
        Affected("cluster", str(row.cluster_id), row.cluster_name, str(row.cluster_id))
        for row in rows
    )
    book.report(found).affect(*labels)


def others_text(names: list[str]) -> str:
    if len(names) > SHOWN:
        return f"{len(names)} other clusters"
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def current_results() -> dict[Subject, TroubleshooterResult]:
    """What is wrong by the newest run over everything, and by later partial runs."""
    runs = TroubleshooterRun.objects
    whole = runs.of_everything()
    if whole is None:
        return {}
    later = runs.finished().filter(created_at__gt=whole.created_at)
    found: dict[Subject, TroubleshooterResult] = {}
    for run in (whole, *later.order_by("created_at")):
        forget_retested(found, run)
        found |= by_subject(run.results.filter(outcome__in=WRONG))
    return found


def forget_retested(
    found: dict[Subject, TroubleshooterResult], run: TroubleshooterRun
) -> None:
    """Leave out what a later run has tested again."""
    tested = {one["id"] for one in run.clusters}
    for key, row in list(found.items()):
        if str(row.cluster_id) in tested and (not run.tests or row.code in run.tests):
            del found[key]


def by_subject(
    rows: Iterable[TroubleshooterResult],
) -> dict[Subject, TroubleshooterResult]:
    return {(row.code, row.cluster_id, row.node_id, row.peer_id): row for row in rows}


def report_row(book: ProblemBook, row: TroubleshooterResult) -> None:
    """Report a test once per cluster, with the nodes and peers that it is about."""
    url = reverse("diagnostics:run", args=[row.run_id])
    found = book.report(
        Found(
            f"test:{row.code}:{row.cluster_id}",
            "test_vendor" if row.by_cluster else f"test_{row.code}",
            row.outcome,
            sentence_of(row),
            row.fix_url or f"{url}?outcome={row.outcome}",
            row.cluster_id,
            whole=row.cluster_id is None,
            since=row.run.finished_at,
        )
    )
    found.affect(*affected_by(row))


def sentence_of(row: TroubleshooterResult) -> str:
    if row.by_cluster:
        return f"{row.cluster_name} reports: {row.description} {row.problem}".strip()
    text = str(row.problem or row.description)
    named = row.node_id and row.node_name.casefold() in text.casefold()
    subject = f"{row.subject}: " if (row.node_id or row.peer_id) and not named else ""
    return f"{subject}{text}"


def affected_by(row: TroubleshooterResult) -> Iterable[Affected]:
    cluster = str(row.cluster_id)
    if row.peer_id:
        label = f"{row.peer_address} on {row.cluster_name}"
        yield Affected("peer", str(row.peer_id), label, cluster)
    elif row.node_id:
        yield Affected("node", str(row.node_id), row.node_name, cluster)
