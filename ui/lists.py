"""The lists whose columns a person can hide and whose views can be kept."""

from django.http import QueryDict

# Of each list its columns in the order of the table, without one of check boxes; the
# first stays, since it says what a row is about. No columns: only views are kept.
LISTS: dict[str, tuple[str, ...]] = {
    "clusters:clusters": (
        "Cluster",
        "Health",
        "Domain",
        "Publisher",
        "Version",
        "Site",
        "Nodes",
        "Peers",
        "Certificates",
        "Checked",
    ),
    "peers:find": (
        "Status",
        "Peer address",
        "Home cluster",
        "Remote cluster",
        "User name",
        "Protocol",
        "Users",
        "Checked",
    ),
    "jobs:find": (
        "State",
        "Job",
        "Object",
        "Progress",
        "Requested by",
        "Requested",
        "Took",
    ),
    "accounts:audit": (
        "No.",
        "When",
        "Who",
        "From",
        "What",
        "Object",
        "Changed",
        "Job",
    ),
    "services:grid": (
        "Cluster",
        "Node",
        "Service",
        "Status",
        "Reason",
        "Start time",
        "Up time",
        "Seen",
    ),
    "services:server": (),
    "services:agents": (
        "Cluster",
        "Node",
        "Role",
        "Service",
        "Status",
        "Up time",
        "Seen",
    ),
    "diagnostics:runs": (),
    "directory:comparisons": (),
    "directory:duplicates": (),
    "overview:problems": (),
}
# Those that are a file with `?format=csv`; the others have a link of their own.
EXPORTED = {
    "clusters:clusters",
    "diagnostics:runs",
    "jobs:find",
    "services:grid",
    "services:agents",
    "directory:comparisons",
    "overview:problems",
}
# Parameters that name a place in a list, and what a form adds beside its fields.
PLACES = {"page", "before", "after", "last", "select", "add", "remove"}
PLACES |= {"polling", "format"}
LONGEST_QUERY = 2_000


def hidden_columns(name: str, data: QueryDict) -> set[int]:
    """The columns, counted from 1, that a query hides."""
    hideable = range(2, len(LISTS.get(name, ())) + 1)
    return {number for number in hideable if str(number) in data.getlist("hide")}


def tidy_query(query: str) -> str:
    """What makes a view out of a query string; the place of a page does not."""
    given, kept = QueryDict(query.replace("\0", "")[:5_000]), QueryDict(mutable=True)
    for name in given:
        if name not in PLACES:
            kept.setlist(name, given.getlist(name))
    return kept.urlencode()
