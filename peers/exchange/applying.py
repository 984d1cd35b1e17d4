"""Entries of a file applied to the console, all or nothing."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, IntegrityError, transaction

from accounts.audit import Actor
from jobs.locks import Busy
from peers import editing, lookups
from peers.changes import PeerEdit
from peers.exchange.book import Book
from peers.exchange.judging import ADD, CHANGE, NOTHING, Effect, judge, warn
from peers.exchange.reading import Entry
from peers.models import Upload
from rest.models import Stale

logger = logging.getLogger(__name__)

MEANWHILE = "Somebody else changed clusters or peers in the meantime. Look again."


@dataclass
class Result:
    """The effects of all entries of a file.

    Args:
        refused: why nothing was saved although no entry has an error.
    """

    effects: list[Effect]
    refused: str = ""

    @property
    def errors(self) -> list[Effect]:
        return [effect for effect in self.effects if effect.errors]

    @property
    def changes(self) -> list[Effect]:
        return [effect for effect in self.effects if effect.action != NOTHING]

    @property
    def worst_first(self) -> list[Effect]:
        """Errors, then warnings, then other changes, each in the order of the file."""
        return sorted(
            self.effects,
            key=lambda one: (not one.errors, not one.warnings, one.action == NOTHING),
        )

    def count(self, action: str) -> int:
        return sum(effect.action == action for effect in self.effects)

    @property
    def added(self) -> int:
        return self.count(ADD)

    @property
    def edited(self) -> int:
        return self.count(CHANGE)

    @property
    def said(self) -> str:
        return f"{self.added:,} added, {self.edited:,} changed."


def preview(entries: Sequence[Entry]) -> Result:
    """Say what the entries would do."""
    book = Book.of(entries)
    with lookups.answered_by(book):
        effects = judge(entries, book)
        warn(effects)
    return Result(effects)


def apply(
    entries: Sequence[Entry],
    actor: Actor,
    upload: Upload,
    also: Callable[[Result], object] | None = None,
) -> Result:
    """Do all of it and forget the file, or nothing where something is wrong.

    The database is locked only while it is written; what was read before must be so
    still.

    Args:
        also: what else is committed with it.
    """
    book = Book.of(entries)
    with lookups.answered_by(book):
        result = Result(judge(entries, book))
        if not result.errors:
            with telling(result), transaction.atomic():
                still(entries, book, upload)
                write(result, actor)
                if also:
                    also(result)
    return result


@contextmanager
def telling(result: Result) -> Iterator[None]:
    """Note why the block was given up."""
    try:
        yield
    except (Busy, Stale) as error:
        result.refused = str(error)
    except (IntegrityError, ObjectDoesNotExist):
        result.refused = MEANWHILE
    except DatabaseError:
        logger.exception("an import was refused")
        result.refused = "The database refused it; the log says why."


def write(result: Result, actor: Actor) -> None:
    for effect in result.changes:
        for save in effect.saves:
            save(actor)
    for edits in waves(effect.edit for effect in result.changes):
        editing.save_peers(edits, actor)


def still(entries: Sequence[Entry], book: Book, upload: Upload) -> None:
    """Forget the file, and raise Stale unless all is as the book read it."""
    if not Upload.objects.filter(pk=upload.pk).delete()[0]:
        raise Stale("This file was imported already.")
    book.hold()
    if Book.of(entries).state != book.state:
        raise Stale(MEANWHILE)


def waves(edits: Iterable[PeerEdit | None]) -> Iterable[list[PeerEdit]]:
    """Split so that each has a peer once: a later entry changes what an earlier did."""
    found: dict[int, list[PeerEdit]] = {}
    times: Counter[UUID] = Counter()
    for edit in filter(None, edits):
        found.setdefault(times[edit.peer.pk], []).append(edit)
        times[edit.peer.pk] += 1
    return found.values()
