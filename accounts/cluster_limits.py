"""To which clusters a person is limited: what hangs on others is not there for them.

A request carries its limit in a context variable, from the session or the token on.
Models whose rows hang on a cluster declare a `Scope` and have a `ScopedManager`, so
every query of a request is narrowed, also one that nobody thought of; the database is
asked nothing more where there is no limit. Workers and commands have none.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import FullResultSet
from django.db import models
from django.db.models import F, Lookup
from django.db.models.lookups import In

T = TypeVar("T")
M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Limit:
    """The clusters of a person, and who that is: what one asked for is one's own."""

    clusters: frozenset[UUID] = frozenset()
    user_id: int | None = None
    username: str = ""

    def admits(self, cluster: object) -> bool:
        return str(cluster) in map(str, self.clusters)


# Nobody is signed in, so there is nothing to see.
NOTHING = Limit()

_limit: ContextVar[Limit | None] = ContextVar("limit", default=None)


def current_limit() -> Limit | None:
    """The limit of whoever asks; None for all clusters."""
    return _limit.get()


def limit_admits(cluster: object) -> bool:
    """Whether whoever asks may see this cluster."""
    limit = current_limit()
    return limit is None or limit.admits(cluster)


@contextmanager
def limited_to(limit: Limit | None) -> Iterator[None]:
    before = _limit.set(limit)
    try:
        yield
    finally:
        _limit.reset(before)


def all_clusters() -> Any:
    """For what must hold over all clusters, whoever asks: uniqueness, links, locks.

    Nothing that is read in it may be shown.
    """
    return limited_to(None)


def narrow_limit(limit: Limit | None) -> None:
    """From here to the end of the request: a token was recognized."""
    _limit.set(limit)


def keep_limit(parts: Iterable[T], limit: Limit | None) -> Iterator[T]:
    """Keep the limit while a response is streamed, after its view has returned."""
    found = iter(parts)
    while True:
        with limited_to(limit):
            try:
                part = next(found)
            except StopIteration:
                return
        yield part


Rule = Callable[[Limit], Any]


@dataclass(frozen=True)
class ClusterScope:
    """How the rows of a model hang on clusters.

    Args:
        column: what must be among what `within` returns.
        within: values, or a query of them, for a limit. It asks `_base_manager`, which
            knows no limit.
        clusters_of: the clusters of one row, for its jobs and its audit entries.
    """

    column: str = "cluster_id"
    within: Rule = lambda limit: limit.clusters
    clusters_of: Callable[[Any], Collection[UUID]] = lambda row: {row.cluster_id}


class WithinLimit(Lookup[Any]):
    """The condition of a scope. Its SQL is written when the query runs, so querysets
    that a module or a form made at import obey too; without a limit there is none."""

    lookup_name = "within_limit"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        limit = current_limit()
        if limit is None:
            raise FullResultSet
        found = self.rhs(limit)
        found = getattr(found, "query", found)
        return In(self.lhs, found).as_sql(compiler, connection)


class ScopedManager(models.Manager[M]):
    """Finds the rows of the clusters that whoever asks may see."""

    def get_queryset(self) -> models.QuerySet[M]:
        if self._db:
            return self.narrowed()
        return self.all_narrowed.all()

    @cached_property
    def all_narrowed(self) -> models.QuerySet[M]:
        # Kept, since to state the condition takes longer than most queries.
        return self.narrowed()

    def narrowed(self) -> models.QuerySet[M]:
        scope: ClusterScope = self.model.scope  # type: ignore[attr-defined]
        rows = super().get_queryset()
        return rows.filter(WithinLimit(F(scope.column), scope.within))


class HangsOnClusters(models.Model):
    """A row that hangs on clusters; its `objects` is a ScopedManager, as a test holds.

    Uniqueness is a matter of all clusters, whoever asks.
    """

    scope = ClusterScope()

    class Meta:
        abstract = True

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        with all_clusters():
            super().validate_unique(exclude)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        with all_clusters():
            super().validate_constraints(exclude)


def clusters_of(row: models.Model | None) -> set[UUID]:
    """The clusters that a row hangs on; none for what belongs to the whole console."""
    scope: ClusterScope | None = getattr(row, "scope", None)
    return set(scope.clusters_of(row)) if scope else set()


def limit_of(user: Any, *, among: Collection[str] = ()) -> Limit | None:
    """The limit of a user, or of the user's token that has clusters of its own."""
    row = getattr(user, "limit", None)
    if row is None and not among:
        return None
    clusters = {UUID(pk) for pk in among}
    if row is not None:
        theirs = {UUID(pk) for pk in row.clusters}
        clusters = clusters & theirs if among else theirs
    return Limit(frozenset(clusters), user.pk, user.get_username())


# The names of all clusters, told by the app that has them.
_names: list[Callable[[], dict[UUID, str]]] = []


def names_come_from(source: Callable[[], dict[UUID, str]]) -> None:
    _names[:] = [source]


def cluster_names() -> dict[UUID, str]:
    """The clusters that one may choose from, by name."""
    return _names[0]() if _names else {}
