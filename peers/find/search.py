"""Find and List: criteria as the product's administrators know them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower
from django.http import QueryDict

from clusters.models import Cluster
from peers.models import SEVERITY, Peer

FIELDS = {
    "address": "Peer address",
    "cluster": "Home cluster",
    "remote_cluster": "Remote cluster",
    "username": "User name",
    "protocol": "Preferred protocol",
    "status": "Status",
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
TESTS: dict[str, Callable[[str, str], bool]] = {
    "begins": str.startswith,
    "contains": str.__contains__,
    "exact": str.__eq__,
    "ends": str.endswith,
    "empty": lambda value, text: not value,
    "filled": lambda value, text: bool(value),
}
# Columns with few values, which are always there.
CHOICES = {
    "protocol": ("protocol", [str(protocol) for protocol in Peer.Protocol]),
    "status": ("outcome", [str(outcome) for outcome in SEVERITY]),
}
SORTS: dict[str, F | Lower] = {
    "status": F("severity"),
    "address": F("address"),
    "cluster": F("cluster__name"),
    "remote_cluster": F("remote_cluster__name"),
    "username": Lower("username"),
    "protocol": F("protocol"),
    "associated_users": F("associated_users"),
    "checked_at": F("checked_at"),
}
# What has no value comes last, in both directions.
NULLABLE = {"remote_cluster", "associated_users", "checked_at"}
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
    def narrows(self) -> bool:
        # As in the product, a row without text finds everything.
        return self.operator not in LOOKUPS or bool(self.value)

    @property
    def query(self) -> Q:
        if self.field in CHOICES:
            return self.choice_query()
        if self.field in ("cluster", "remote_cluster"):
            return self.cluster_query()
        if self.operator in ("empty", "filled"):
            empty = Q(**{self.field: ""})
            return empty if self.operator == "empty" else ~empty
        return Q(**{f"{self.field}__{LOOKUPS[self.operator]}": self.value})

    def choice_query(self) -> Q:
        column, values = CHOICES[self.field]
        holds, text = TESTS[self.operator], self.value.casefold()
        found = [value for value in values if holds(value.casefold(), text)]
        return Q(**{f"{column}__in": found})

    def cluster_query(self) -> Q:
        if self.operator in ("empty", "filled"):
            return Q(**{f"{self.field}__isnull": self.operator == "empty"})
        # Only names of clusters that the current user may see are compared.
        named = {f"name__{LOOKUPS[self.operator]}": self.value}
        return Q(**{f"{self.field}__in": Cluster.objects.filter(**named).values("pk")})


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

    @property
    def narrowed(self) -> bool:
        return any(row.narrows for row in self.criteria)

    def apply(self, peers: QuerySet[Peer]) -> QuerySet[Peer]:
        """Everything that is found, in its order."""
        found = peers.filter(*(row.query for row in self.criteria if row.narrows))
        name = self.sort.removeprefix("-")
        last = True if name in NULLABLE else None
        if self.sort.startswith("-"):
            return found.order_by(SORTS[name].desc(nulls_last=last), "-pk")
        return found.order_by(SORTS[name].asc(nulls_last=last), "pk")


def criteria_in(data: QueryDict) -> Iterator[Criterion]:
    given = (data.getlist(name) for name in ("field", "operator", "value"))
    for field, operator, value in zip_longest(*given, fillvalue=""):
        yield Criterion(
            field if field in FIELDS else "address",
            operator if operator in OPERATORS else "begins",
            value.replace("\0", "").strip()[:253],
        )
