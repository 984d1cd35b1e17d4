"""The User section: what must be unique over the whole mesh."""

from collections.abc import Callable

from diagnostics.facts import Answer, ClusterFacts
from diagnostics.judge.peer import listed
from diagnostics.judge.tests import ClusterView, Scope, Section, test
from diagnostics.judge.verdict import PASSED, Verdict, failed, unknown, warning

Texts = Answer[tuple[str, ...]]


def judge_users(
    view: ClusterView,
    pick: Callable[[ClusterFacts], Texts],
    problem: str,
    solution: str,
    *,
    severe: bool,
) -> Verdict:
    answer = pick(view.cluster)
    if answer.value is None:
        return unknown(f"The users of {view.cluster.name} are not known.", answer)
    if not answer.value:
        return PASSED
    count = len(answer.value)
    text = problem.format(
        count=count if count < 500 else "500 or more",
        cluster=view.cluster.name,
        names=listed(sorted(answer.value)),
    )
    return (failed if severe else warning)(text, solution)


def _users(
    code: str,
    description: str,
    pick: Callable[[ClusterFacts], Texts],
    problem: str,
    solution: str,
    *,
    severe: bool = True,
    since: str = "",
    source: str = "S6, S14",
) -> None:
    def judge(view: ClusterView) -> Verdict | None:
        if since and view.cluster.generation != since:
            return None
        return judge_users(view, pick, problem, solution, severe=severe)

    outcome = "failed" if severe else "warning"
    test(
        Section.USER,
        Scope.CLUSTER,
        code,
        description,
        asks="enduser on the publisher, the copies of peers' users included",
        information="The users cannot be read.",
        remedy=solution,
        source=source,
        **{outcome: "There are some; the problem names ten."},
    )(judge)


_users(
    "unique_userids",
    "Verify that all users have a unique User ID configured.",
    lambda c: c.user_faults.duplicate_userids,
    "{count} user IDs occur more than once on {cluster}: {names}.",
    "Keep each user on one cluster only; remove the other assignment.",
    source="S6, S14, S36",
)
_users(
    "uri_configured",
    "Verify that all users have a Directory URI configured.",
    lambda c: c.user_faults.without_uri,
    "{count} users of {cluster} have no directory URI: {names}.",
    "Set it in the directory, then synchronise.",
    severe=False,
    since="imp",
)
_users(
    "unique_uris",
    "Verify that all users have a unique Directory URI configured.",
    lambda c: c.user_faults.duplicate_uris,
    "{count} directory URIs occur more than once on {cluster}: {names}.",
    "Give each user a URI of their own; upper and lower case are the same.",
)
_users(
    "valid_uris",
    "Verify that all users have a valid Directory URI configured.",
    lambda c: c.user_faults.with_invalid_uri,
    "{count} users of {cluster} have a directory URI that is not of the form "
    "user@domain: {names}.",
    "Correct it in the directory, then synchronise.",
)
_users(
    "unique_mails",
    "Verify that all users have a unique Mail ID configured.",
    lambda c: c.user_faults.duplicate_mails,
    "{count} mail IDs occur more than once on {cluster}: {names}.",
    "Give each user a mail ID of their own.",
    severe=False,
)
