"""Find and List: criteria as the product's administrators know them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import QueryDict

from peers.models import Outcome, Peer

FIELDS = {
    "address": "Peer address",
    "cluster": "Home cluster",
    "remote_cluster": "Remote cluster",
    "username": "User name",
    "protocol": "Preferred protocol",
    "status": "Status",
}
COLUMNS = {
    "address": "address",
    "cluster": "cluster__name",
    "remote_cluster": "remote_cluster__name",
    "username": "username",
    "protocol": "protocol",
    "status": "outcome",
}
OPERATORS = {
    "begins": "begins with",
    "contains": "contains",
    "exact": "is exactly",
    "ends": "ends with",
    "empty": "is empty",
    "filled": "is not empty",
}
LOOKUPS = {
    "begins": "istartswith",
    "contains": "icontains",
    "exact": "iexact",
    "ends": "iendswith",
}
# The worst first; unknown is worse than passed.
SEVERITY = (Outcome.FAILED, Outcome.WARNING, Outcome.UNKNOWN, Outcome.PASSED)
SORTS = {
    "status": "severity",
    "address": "address",
    "cluster": "cluster__name",
    "remote_cluster": "remote_cluster__name",
    "username": "username",
    "protocol": "protocol",
    "associated_users": "associated_users",
    "checked_at": "checked_at",
}
ROWS = (10, 25, 50, 100, 250)
DEFAULT_ROWS = 50
MOST_CRITERIA = 20


@dataclass(frozen=True)
class Criterion:
    """One row of the form: field, operator, value."""

    field: str = "address"
    operator: str = "begins"
    value: str = ""

    @property
    def query(self) -> Q:
        column = COLUMNS[self.field]
        if self.operator in LOOKUPS:
            # As in the product, a row without text finds everything.
            return (
                Q(**{f"{column}__{LOOKUPS[self.operator]}": self.value})
                if self.value
                else Q()
            )
        empty = Q(**{column: ""}) | Q(**{f"{column}__isnull": True})
        return empty if self.operator == "empty" else ~empty


@dataclass(frozen=True)
class Search:
    """What the URL asks for."""

    criteria: tuple[Criterion, ...]
    sort: str = "address"
    rows: int = DEFAULT_ROWS

    @classmethod
    def parse(cls, data: QueryDict, rows: int = DEFAULT_ROWS) -> "Search":
        """Read a query string; what it does not know is left out."""
        criteria = list(criteria_in(data))[:MOST_CRITERIA]
        remove = data.get("remove", "")
        if remove.isdecimal() and int(remove) < len(criteria):
            del criteria[int(remove)]
        if "add" in data or not criteria:
            criteria.append(Criterion())
        sort = data.get("sort", "")
        wanted = data.get("rows", "")
        return cls(
            criteria=tuple(criteria),
            sort=sort if sort.removeprefix("-") in SORTS else "address",
            rows=next((n for n in ROWS if str(n) == wanted), rows),
        )

    def apply(self, peers: QuerySet[Peer]) -> QuerySet[Peer]:
        for criterion in self.criteria:
            peers = peers.filter(criterion.query)
        name, descending = self.sort.removeprefix("-"), self.sort.startswith("-")
        if name == "status":
            peers = peers.annotate(severity=severity())
        return peers.order_by(f"{'-' if descending else ''}{SORTS[name]}", "pk")

    @property
    def narrowed(self) -> bool:
        return any(criterion.query for criterion in self.criteria)


def criteria_in(data: QueryDict) -> Iterator[Criterion]:
    given = (data.getlist(name) for name in ("field", "operator", "value"))
    for field, operator, value in zip_longest(*given, fillvalue=""):
        yield Criterion(
            field if field in FIELDS else "address",
            operator if operator in OPERATORS else "begins",
            value.replace("\0", "").strip()[:253],
        )


def severity() -> Case:
    whens = [When(outcome=name, then=Value(n)) for n, name in enumerate(SEVERITY)]
    return Case(*whens, default=Value(len(SEVERITY)), output_field=IntegerField())
