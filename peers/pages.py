"""Pages of Find and List that cost the same at any size of the table.

A page begins where the one before ended (keyset), in an order that an index has. A
search that no index serves looks at a bounded number of rows per page and says so.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet, Value
from django.http import QueryDict

from peers.models import Cluster, Peer
from peers.search import Search, Term, without_indexes

# A table up to this size is counted and searched as a whole.
SMALL = 10_000
# Of a greater one, a page looks at no more rows than this.
LOOK = 5_000
# So few candidates are sorted as they are, whichever index found them.
FEW = 1_000
# A sort by cluster goes through no more clusters for one page.
MOST_PARTS = 25
# The least value of each column that may be empty: a range passes by what is empty,
# while an index is walked through it for IS NOT NULL.
NULLABLE: dict[str, Any] = {
    "associated_users": 0,
    "checked_at": datetime(1970, 1, 1, tzinfo=UTC),
    "remote_cluster__name": "",
}
# Columns whose order is that of the clusters' names.
PARTED = ("cluster", "remote_cluster")
# Columns of which one value has an index in the order of addresses.
WITH_ADDRESS = ("cluster", "severity")


@dataclass(frozen=True)
class Cursor:
    """A place in the order: behind a row, or at the beginning of a part."""

    part: str
    value: Any = None
    pk: str = ""

    def __str__(self) -> str:
        text = json.dumps([self.part, self.value, self.pk], default=str)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """Read what a link carried; None for anything else."""
        try:
            padded = text.encode() + b"=" * (-len(text) % 4)
            part, value, pk = json.loads(base64.b64decode(padded, b"-_", True))
        except (ValueError, TypeError, RecursionError):
            return None
        plain = value is None or type(value) in (str, int)
        return cls(part, value, pk) if type(part) is type(pk) is str and plain else None


@dataclass(frozen=True)
class Part:
    """Rows that stand together in the order: by a column, then by their id."""

    key: str
    query: Q
    column: str = ""
    # What holds while the query is empty; any range of the column implies it.
    floor: Q = field(default_factory=Q)


@dataclass(frozen=True)
class Page:
    """Rows, the places before and behind them, and how many rows there are."""

    rows: list[Any]
    count: int
    exact: bool = True
    previous: Cursor | None = None
    next: Cursor | None = None
    # The bound was reached before the page was full.
    partial: bool = False

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def found(self) -> str:
        plural = "" if self.exact and self.count == 1 else "s"
        return f"{self.count:,}{'' if self.exact else '+'} record{plural} found"


@dataclass
class Walk:
    """The way through the rows in one direction, until a page is full.

    Args:
        peers: the rows, filtered already as far as an index serves it.
        terms: what else must hold; looked at row by row.
        bound: how many rows may be looked at; None for all.
        columns: what a row holds: model instances take several times as long.
    """

    peers: QuerySet[Peer]
    parts: list[Part]
    upwards: bool
    wanted: int
    _: KW_ONLY
    terms: list[Term] = field(default_factory=list)
    bound: int | None = None
    columns: Sequence[str] = ("pk",)
    rows: list[tuple[Part, Any]] = field(default_factory=list)
    end: Cursor | None = None
    partial: bool = False
    looked: int = 0

    def go(self, start: Cursor | None) -> "Walk":
        """Fill `rows` from behind `start`; `end` is where the bound was reached."""
        keys: list[str] = []
        for part in self.ahead(start):
            if part.key not in keys:
                keys.append(part.key)
                if self.tired(len(keys)):
                    self.end, self.partial = Cursor(part.key), True
                    break
            self.collect(part)
            if self.end is not None or len(self.rows) == self.wanted:
                break
        return self

    def tired(self, parts: int) -> bool:
        """Whether enough was looked at for one page."""
        if self.bound is None:
            return False
        return self.looked >= self.bound or parts > MOST_PARTS

    def ahead(self, start: Cursor | None) -> Iterator[Part]:
        """The parts from `start` on, the first without what lies behind it."""
        keys = [part.key for part in self.parts]
        here = keys.index(start.part) if start and start.part in keys else -1
        if start and here >= 0:
            yield from self.rest_of(self.parts[here], start)
        yield from self.parts[here + 1 :]

    def rest_of(self, part: Part, start: Cursor) -> Iterator[Part]:
        if not start.pk:
            yield part
            return
        beyond = "gt" if self.upwards else "lt"
        behind = part.query & Q(**{f"pk__{beyond}": start.pk})
        if not part.column:
            yield Part(part.key, behind)
            return
        # Two plain ranges: an OR of them would keep the database from the index.
        yield Part(part.key, behind & Q(**{part.column: start.value}))
        further = Q(**{f"{part.column}__{beyond}": start.value})
        yield Part(part.key, further, part.column)

    def collect(self, part: Part) -> None:
        boundary = self.boundary(part)
        for piece in self.up_to(part, boundary) if boundary else [part]:
            rows = without_indexes(self.ordered(piece), self.terms)
            found = rows.annotate(place=self.place_in(part)).values_list(
                *self.columns, "place", named=True
            )
            wanted = self.wanted - len(self.rows)
            self.rows += ((part, row) for row in found[:wanted])
        if boundary and len(self.rows) < self.wanted:
            self.end, self.partial = boundary, True

    def ordered(self, part: Part) -> QuerySet[Peer]:
        columns = [part.column, "pk"] if part.column else ["pk"]
        sign = "" if self.upwards else "-"
        rows = self.peers.filter(part.query or part.floor)
        return rows.order_by(*(f"{sign}{column}" for column in columns))

    def boundary(self, part: Part) -> Cursor | None:
        """The last row of the part that may be looked at, unless all may."""
        if self.bound is None:
            return None
        rows = self.ordered(part).annotate(place=self.place_in(part))
        last = rows.values_list("place", "pk")[self.bound - 1 : self.bound].first()
        if last is None:
            self.looked += rows.order_by().count()
            return None
        return Cursor(part.key, last[0], str(last[1]))

    def place_in(self, part: Part) -> F | Value:
        """The value that, with the id, places a row; also where all have the same."""
        column = next(one.column for one in self.parts if one.key == part.key)
        return F(column) if column else Value("")

    def up_to(self, part: Part, last: Cursor) -> Iterator[Part]:
        before = "lt" if self.upwards else "gt"
        ending = part.query & Q(**{f"pk__{before}e": last.pk})
        if part.column:
            nearer = Q(**{f"{part.column}__{before}": last.value})
            yield Part(part.key, part.query & nearer, part.column)
            ending &= Q(**{part.column: last.value})
        yield Part(part.key, ending)


@dataclass(frozen=True)
class Approach:
    """How a search is done, by what its size allows.

    Args:
        full: whether it finds all of many rows: clusters then have enough to be gone
            through one after the other.
        least: how many rows there are at least, where they are not counted.
    """

    peers: QuerySet[Peer]
    exact: bool = True
    full: bool = False
    least: int = 0
    terms: tuple[Term, ...] = ()

    @classmethod
    def to(cls, search: Search, peers: QuerySet[Peer]) -> "Approach":
        terms, peers = search.terms, search.searchable(peers)
        queries = [term.query for term in terms]
        if not has_more(peers, SMALL):
            found = peers.filter(*queries)
            indexed = [term for term in terms if term.indexed]
            if indexed and len(indexed) == len(terms) and has_more(found, FEW):
                # So many that their order is walked sooner than they are sorted.
                return cls(peers, terms=tuple(terms))
            by_cluster = search.column in PARTED and not terms
            return cls(found, full=by_cluster and has_more(found, FEW))
        few = candidates(peers, terms)
        if few is not None:
            return cls(few.filter(*queries))
        if len(terms) != 1:
            least = 0 if terms else SMALL
            return cls(peers, exact=False, least=least, terms=tuple(terms))
        least = FEW if terms[0].indexed else 0
        if search.column == "address" and terms[0].column in WITH_ADDRESS:
            values = terms[0].value
            if isinstance(values, list) and len(values) == 1:
                only = Q(**{terms[0].column: values[0]})
                return cls(peers.filter(only), exact=False, least=least)
        return cls(peers, exact=False, least=least, terms=tuple(terms))

    def count(self, shown: int, *, all_shown: bool) -> int:
        if all_shown or not self.exact:
            return max(self.least, shown)
        return self.peers.filter(*(term.query for term in self.terms)).count()

    def walk(
        self,
        search: Search,
        columns: Sequence[str],
        start: Cursor | None,
        *,
        back: bool,
    ) -> Walk:
        parts = parts_of(search, joined=self.exact and not self.full)
        return Walk(
            self.peers,
            parts[::-1] if back else parts,
            search.descending == back,
            search.rows + 1,
            terms=list(self.terms),
            bound=None if self.exact or not self.terms else LOOK,
            columns=columns,
        ).go(start)


def page_of(
    search: Search, peers: QuerySet[Peer], data: QueryDict, columns: Sequence[str]
) -> Page:
    """The page that the query string names: the first, the last, after or before."""
    approach = Approach.to(search, peers)
    before, after = data.get("before", ""), data.get("after", "")
    back = bool(before) or "last" in data
    start = Cursor.parse(before or after)
    try:
        walk = approach.walk(search, columns, start, back=back)
    except (ValidationError, ValueError, TypeError):
        # Somebody else's link, or an order whose column holds other things.
        start, back = None, False
        walk = approach.walk(search, columns, start, back=back)
    found = walk.rows[: search.rows]
    more = place_of(*found[-1]) if len(walk.rows) > search.rows else walk.end
    origin = place_of(*found[0]) if start and found else start
    rows = [row for _, row in found]
    return Page(
        rows=rows[::-1] if back else rows,
        count=approach.count(len(rows), all_shown=not (start or more)),
        exact=approach.exact,
        previous=more if back else origin,
        next=origin if back else more,
        partial=walk.partial,
    )


def place_of(part: Part, row: Any) -> Cursor:
    return Cursor(part.key, row.place, str(row.pk))


def has_more(peers: QuerySet[Peer], than: int) -> bool:
    """Whether there are more rows, without a count of all."""
    return peers.order_by()[than : than + 1].exists()


def candidates(peers: QuerySet[Peer], terms: list[Term]) -> QuerySet[Peer] | None:
    """The rows that an indexed term leaves, if they are few.

    More are few enough beside another term: a page of a walk would look at as many.
    """
    most = FEW if len(terms) == 1 else LOOK
    for term in terms:
        found = peers.filter(term.query).order_by()
        if term.indexed and not has_more(found, most):
            # The bound keeps the database from walking the order instead.
            return peers.filter(pk__in=found.values("pk")[:most])
    return None


def parts_of(search: Search, *, joined: bool) -> list[Part]:
    """The order of the search as parts that an index, or a small join, can follow."""
    column = search.column
    if column not in PARTED:
        return with_empty(column)
    if joined:
        return with_empty(f"{column}__name")
    order = "-name" if search.descending else "name"
    pks = Cluster.objects.order_by(order).values_list("pk", flat=True)
    parts = [Part(str(pk), Q(**{column: pk})) for pk in pks]
    empty = [Part("empty", Q(remote_cluster=None))] if column != "cluster" else []
    return parts + empty


def with_empty(column: str) -> list[Part]:
    """What has a value in its order, then what has none, whatever the direction."""
    if column not in NULLABLE:
        return [Part("all", Q(), column)]
    present = Q(**{f"{column}__gte": NULLABLE[column]})
    missing = Q(**{f"{column}__isnull": True})
    return [Part("all", Q(), column, floor=present), Part("empty", missing)]
