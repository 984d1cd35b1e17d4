"""The User section: what must be unique over the whole mesh."""

from collections.abc import Callable, Sequence
from functools import partial

from diagnostics.answers import Answer
from diagnostics.facts import ClusterFacts, Facts
from diagnostics.judge.sources import Source
from diagnostics.judge.tests import ClusterView, Level, Section, register_test
from diagnostics.judge.verdict import (
    PASSED,
    Fix,
    Verdict,
    failed,
    information,
    listed_texts,
    unknown,
    warning,
)

Texts = Answer[tuple[str, ...]]
# So many are read at most; whoever has as many may have more.
MOST_USERS = 500


def counted_number(texts: Sequence[str]) -> str:
    return str(len(texts)) if len(texts) < MOST_USERS else f"{MOST_USERS} or more"


def some_of(texts: Sequence[str]) -> str:
    """Name ten at most, and count the others where their number is known."""
    if len(texts) < MOST_USERS:
        return listed_texts(texts)
    return f"{', '.join(texts[:10])} and others"


def judge_users(
    view: ClusterView,
    pick: Callable[[ClusterFacts], Texts],
    problem: str,
    solution: str,
    *,
    one: str,
    kind: str,
    severe: bool,
) -> Verdict:
    answer = pick(view.cluster)
    if answer.value is None:
        return unknown(f"The users of {view.cluster.name} are not known.", answer)
    if not answer.value:
        return PASSED
    text = (one if len(answer.value) == 1 else problem).format(
        count=counted_number(answer.value),
        cluster=view.cluster.name,
        names=some_of(sorted(answer.value)),
    )
    query = f"kind={kind}&cluster={view.cluster.id}"
    fix = Fix("directory:duplicates", query=query)
    return (failed if severe else warning)(text, solution, fix)


def _users(
    code: str,
    description: str,
    pick: Callable[[ClusterFacts], Texts],
    problem: str,
    solution: str,
    *,
    one: str,
    kind: str,
    severe: bool = True,
    since: str = "",
    sources: Sequence[Source] = (Source.TROUBLESHOOTER, Source.END_USERS),
) -> None:
    def judge(view: ClusterView) -> Verdict | None:
        if since and view.cluster.generation != since:
            return None
        return judge_users(
            view, pick, problem, solution, one=one, kind=kind, severe=severe
        )

    outcome = "failed" if severe else "warning"
    register_test(
        Section.USER,
        Level.CLUSTER,
        code,
        description,
        asks="enduser on the publisher, the copies of peers' users included",
        information="The users cannot be read.",
        remedy=solution,
        sources=sources,
        evidence=lambda view: {"Table enduser": pick(view.cluster)},
        **{outcome: "There are some; the problem names ten."},
    )(judge)


_users(
    "unique_userids",
    "Verify that all users have a unique User ID configured.",
    lambda c: c.user_faults.duplicate_userids,
    "{count} user IDs occur more than once on {cluster}: {names}.",
    "Keep each user on one cluster only; remove the other assignment.",
    one="1 user ID occurs more than once on {cluster}: {names}.",
    kind="userid",
    sources=[Source.TROUBLESHOOTER, Source.END_USERS, Source.NOTE_DUPLICATES],
)
_users(
    "uri_configured",
    "Verify that all users have a Directory URI configured.",
    lambda c: c.user_faults.without_uri,
    "{count} users of {cluster} have no directory URI: {names}.",
    "Set it in the directory, then synchronise.",
    one="1 user of {cluster} has no directory URI: {names}.",
    kind="empty_uri",
    severe=False,
    since="imp",
)
_users(
    "unique_uris",
    "Verify that all users have a unique Directory URI configured.",
    lambda c: c.user_faults.duplicate_uris,
    "{count} directory URIs occur more than once on {cluster}: {names}.",
    "Give each user a URI of their own; upper and lower case are the same.",
    one="1 directory URI occurs more than once on {cluster}: {names}.",
    kind="directory_uri",
)
_users(
    "valid_uris",
    "Verify that all users have a valid Directory URI configured.",
    lambda c: c.user_faults.with_invalid_uri,
    "{count} users of {cluster} have a directory URI that is not of the form "
    "user@domain: {names}.",
    "Correct it in the directory, then synchronise.",
    one="1 user of {cluster} has a directory URI that is not of the form "
    "user@domain: {names}.",
    kind="invalid_uri",
)
_users(
    "unique_mails",
    "Verify that all users have a unique Mail ID configured.",
    lambda c: c.user_faults.duplicate_mails,
    "{count} mail IDs occur more than once on {cluster}: {names}.",
    "Give each user a mail ID of their own.",
    one="1 mail ID occurs more than once on {cluster}: {names}.",
    kind="mail_id",
    severe=False,
)


def judge_shared(facts: Facts, kind: str, what: str, *, severe: bool) -> Verdict | None:
    """Judge what the last snapshots of all clusters have in common."""
    if len(facts.everybody) < 2:
        return None
    answer = facts.shared.get(kind, Answer())
    if answer.value is None:
        return information(
            "The users of the clusters were not read for the directory yet.",
            "Read them: Presence > Directory.",
            Fix("directory:locate"),
        )
    if answer.value:
        verdict = failed if severe else warning
        return verdict(
            f"{counted_number(answer.value)} {what} belong to users of more than one "
            "cluster: "
            f"{some_of(answer.value)}.",
            "Let each belong to one user on one cluster.",
            Fix("directory:duplicates", query=f"kind={kind}"),
        )
    if facts.unread:
        return information(
            f"The users of {listed_texts(facts.unread)} were not read for the "
            "directory yet.",
            "Read them: Presence > Directory.",
            Fix("directory:locate"),
        )
    return PASSED


def _register_shared(
    code: str, description: str, kind: str, what: str, *, severe: bool = True
) -> None:
    outcome = "failed" if severe else "warning"
    register_test(
        Section.USER,
        Level.MESH,
        code,
        description,
        asks="the newest snapshots of the directory, of all clusters, peers or not",
        information="A cluster's users were not read yet.",
        remedy="Let each belong to one user on one cluster.",
        sources=[Source.END_USERS, Source.NOTE_DUPLICATES],
        evidence=lambda facts: {"Directory": facts.shared.get(kind, Answer())},
        **{outcome: "There are some; the problem names ten and leads to all."},
    )(partial(judge_shared, kind=kind, what=what, severe=severe))


_register_shared(
    "shared_userids",
    "Verify that no user ID belongs to users of two clusters.",
    "userid",
    "user IDs",
)
_register_shared(
    "shared_uris",
    "Verify that no Directory URI belongs to users of two clusters.",
    "directory_uri",
    "directory URIs",
)
_register_shared(
    "shared_mails",
    "Verify that no Mail ID belongs to users of two clusters.",
    "mail_id",
    "mail IDs",
    severe=False,
)
