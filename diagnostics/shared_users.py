"""What users of several clusters share, by the directory's newest snapshots."""

from diagnostics.answers import Answer
from diagnostics.judge.users import MOST_USERS
from directory.duplicates import SHARED, Kind, find_duplicates
from directory.ownership import Directory


def shared_users() -> tuple[dict[str, Answer[tuple[str, ...]]], tuple[str, ...]]:
    """Return the shared values by kind, and the clusters that were never read."""
    directory = Directory()
    listings = directory.listings.values()
    unread = [
        cluster.name
        for number, cluster in enumerate(directory.clusters)
        if number not in directory.listings
    ]
    if not listings:
        return {}, tuple(unread)
    at = min(listing.snapshot.taken_at for listing in listings)
    return {
        kind: Answer(between_clusters(directory, kind), at=at) for kind in SHARED
    }, tuple(unread)


def between_clusters(directory: Directory, kind: Kind) -> tuple[str, ...]:
    found = [
        one.value
        for one in find_duplicates(directory, kind)
        if len({holder.listing.number for holder in one.holders}) > 1
    ]
    return tuple(found[:MOST_USERS])
