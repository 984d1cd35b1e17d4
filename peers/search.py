"""Find and List: criteria as the product's administrators know them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import zip_longest
from typing import Any

from django.db.models import CharField, Lookup, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower
from django.http import QueryDict
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from peers.models import SEVERITY, Cluster, Peer

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
# Texts, stored or indexed in lower case: an index finds how a value begins, not what
# it contains.
FOLDED = "folded_username"
TEXTS = {"address": "address", "username": FOLDED}
SORTS = {
    "status": "severity",
    "address": "address",
    "cluster": "cluster",
    "remote_cluster": "remote_cluster",
    "username": FOLDED,
    "protocol": "protocol",
    "associated_users": "associated_users",
    "checked_at": "checked_at",
}
ROWS = (10, 25, 50, 100, 250)
DEFAULT_ROWS = 50
MOST_CRITERIA = 20
# The selects of the form, which have the same options on every page.
SELECTS = {
    "field": FIELDS,
    "operator": OPERATORS,
    "rows": {str(count): str(count) for count in ROWS},
}


@CharField.register_lookup
class Begins(Lookup[Any]):
    """How a text begins, so that the index on the column or expression serves it.

    SQLite's LIKE ignores case and no plain index; a range does the same.
    """

    lookup_name = "begins"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, params = self.process_lhs(compiler, connection)
        pattern = connection.ops.prep_for_like_query(self.rhs) + "%"
        return f"{column} LIKE LOWER(%s)", [*params, pattern]

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        column, params = self.process_lhs(compiler, connection)
        sql = f"({column} >= LOWER(%s) AND {column} < LOWER(%s))"
        return sql, [*params, self.rhs, *params, self.rhs + chr(0x10FFFF)]


@dataclass(frozen=True)
class Term:
    """A condition on one column: by an index, or by looking at every row."""

    column: str
    lookup: str
    value: Any
    indexed: bool = True

    @property
    def query(self) -> Q:
        return Q(**{f"{self.column}__{self.lookup}": self.value})

    @property
    def plain(self) -> Q:
        """The same, in words that no index serves: for walks along another one."""
        return Q(**{f"plain_{self.column}__{self.lookup}": self.value})


@dataclass(frozen=True)
class Criterion:
    """One row of the form: field, operator, value."""

    field: str = "address"
    operator: str = "begins"
    value: str = ""

    @property
    def fields(self) -> SafeString:
        """The options of the field's select, as HTML."""
        return options_of("field", self.field)

    @property
    def operators(self) -> SafeString:
        return options_of("operator", self.operator)

    @property
    def narrows(self) -> bool:
        # As in the product, a row without text finds everything.
        return self.operator not in LOOKUPS or bool(self.value)

    @property
    def term(self) -> Term:
        text = self.value.casefold()
        if self.field in TEXTS:
            return self.text_term()
        if self.field in ("cluster", "remote_cluster"):
            return self.cluster_term()
        values = {
            "protocol": Peer.Protocol.values,
            "status": [str(outcome) for outcome in SEVERITY],
        }[self.field]
        found = [n for n, v in enumerate(values) if self.holds(v.casefold(), text)]
        if self.field == "status":
            return Term("severity", "in", found)
        return Term("protocol", "in", [values[n] for n in found])

    def text_term(self) -> Term:
        column = TEXTS[self.field]
        if self.operator in ("empty", "filled"):
            lookup = "exact" if self.operator == "empty" else "gt"
            return Term(column, lookup, "")
        if self.operator == "begins":
            return Term(column, "begins", self.value)
        if self.operator == "exact":
            # The database folds both sides, since it folds fewer letters than Python.
            return Term(column, "exact", Lower(Value(self.value)))
        # The lookup ignores case by itself, so no value need be folded.
        return Term(self.field, LOOKUPS[self.operator], self.value, indexed=False)

    def cluster_term(self) -> Term:
        """Clusters are few: find them by name first, then peers by their clusters."""
        if self.operator in ("empty", "filled"):
            return Term(self.field, "isnull", self.operator == "empty")
        named = {f"name__{LOOKUPS[self.operator]}": self.value}
        pks = list(Cluster.objects.filter(**named).values_list("pk", flat=True))
        return Term(self.field, "in", pks)

    def holds(self, value: str, text: str) -> bool:
        tests = {
            "begins": value.startswith,
            "contains": value.__contains__,
            "exact": value.__eq__,
            "ends": value.endswith,
        }
        if self.operator in tests:
            return bool(tests[self.operator](text))
        return self.operator == "filled"


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

    @cached_property
    def terms(self) -> list[Term]:
        # Kept, since clusters that a row names are looked up.
        return [row.term for row in self.criteria if row.narrows]

    @property
    def column(self) -> str:
        return SORTS[self.sort.removeprefix("-")]

    @property
    def descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def row_options(self) -> SafeString:
        return options_of("rows", str(self.rows))

    @property
    def narrowed(self) -> bool:
        return any(row.narrows for row in self.criteria)

    def searchable(self, peers: QuerySet[Peer]) -> QuerySet[Peer]:
        """Name the expression that terms and the sort may speak of."""
        if FOLDED in (self.column, *(term.column for term in self.terms)):
            return peers.alias(**{FOLDED: Lower("username")})
        return peers

    def apply(self, peers: QuerySet[Peer]) -> QuerySet[Peer]:
        """Everything that is found, in one sequence: for exports."""
        found = self.searchable(peers).filter(*(term.query for term in self.terms))
        name = {"cluster": "cluster__name", "remote_cluster": "remote_cluster__name"}
        column = name.get(self.column, self.column)
        sign = "-" if self.descending else ""
        return found.order_by(f"{sign}{column}", f"{sign}pk")


@cache
def options_of(select: str, chosen: str) -> SafeString:
    """The options of a select, one of them selected: few, and always the same."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        (
            (value, SafeString(" selected" if value == chosen else ""), label)
            for value, label in SELECTS[select].items()
        ),
    )


def without_indexes(peers: QuerySet[Peer], terms: Sequence[Term]) -> QuerySet[Peer]:
    """Filter while the order decides which index is walked."""
    for column in {term.column for term in terms}:
        # COALESCE of a column with itself is the column, but no index has it.
        same: Any = Coalesce(column, column)
        peers = peers.alias(**{f"plain_{column}": same})
    return peers.filter(*(term.plain for term in terms))


def criteria_in(data: QueryDict) -> Iterator[Criterion]:
    given = (data.getlist(name) for name in ("field", "operator", "value"))
    for field, operator, value in zip_longest(*given, fillvalue=""):
        yield Criterion(
            field if field in FIELDS else "address",
            operator if operator in OPERATORS else "begins",
            value.replace("\0", "").strip()[:253],
        )
