"""Users that several clusters call their own, by the newest snapshots."""

from django.urls import reverse

from directory.duplicates import KINDS, SHARED, find_duplicates
from directory.ownership import Directory
from overview.found import FAILED, WARNING, Found, ProblemBook

CODES = {
    "userid": ("duplicate_userids", FAILED),
    "directory_uri": ("duplicate_uris", WARNING),
    "mail_id": ("duplicate_mails", WARNING),
}


def report_directory(book: ProblemBook) -> None:
    """Report each kind once; how many users it is may change without an end."""
    directory = Directory()
    counted: set[str] = set()
    for kind in SHARED:
        found = [
            one
            for one in find_duplicates(directory, kind)
            if len({holder.listing.number for holder in one.holders}) > 1
            and not {holder.user.userid for holder in one.holders} <= counted
        ]
        if not found:
            continue
        # A user who exists twice has the same URI and mail ID twice.
        counted |= {holder.user.userid for one in found for holder in one.holders}
        code, severity = CODES[kind]
        clusters = {
            holder.listing.cluster.pk for one in found for holder in one.holders
        }
        values = "1 value is" if len(found) == 1 else f"{len(found)} values are"
        book.report(
            Found(
                code,
                code,
                severity,
                f"{KINDS[kind]}: {values} used on more than one cluster.",
                f"{reverse('directory:duplicates')}?kind={kind}",
                touches=frozenset(clusters),
                whole=True,
            )
        )
