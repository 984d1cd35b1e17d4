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
from base.revisions import Stale
from clusters.inventory import answered_by
from jobs.locks import Busy
from peers import lifecycle
from peers.imports.inventory import ImportBook
from peers.imports.parse import FileEntry
from peers.imports.validate import (
    ADD,
    CHANGE,
    NOTHING,
    EntryEffect,
    add_warnings,
    judge_entries,
)
from peers.lifecycle import PeerEdit
from peers.models import Upload

logger = logging.getLogger(__name__)

MEANWHILE = (
    "Somebody else changed clusters or peers in the meantime. Upload the file again."
)


@dataclass
class ImportResult:
    """The effects of all entries of a file.

    Args:
        refused: why nothing was saved although no entry has an error.
    """

    effects: list[EntryEffect]
    refused: str = ""

    @property
    def errors(self) -> list[EntryEffect]:
        return [effect for effect in self.effects if effect.errors]

    @property
    def changes(self) -> list[EntryEffect]:
        return [effect for effect in self.effects if effect.action != NOTHING]

    @property
    def worst_first(self) -> list[EntryEffect]:
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
    def sentence(self) -> str:
        return f"{self.added:,} added, {self.edited:,} changed."


def preview_import(entries: Sequence[FileEntry]) -> ImportResult:
    """Say what the entries would do."""
    book = ImportBook.of(entries)
    with answered_by(book):
        effects = judge_entries(entries, book)
        add_warnings(effects)
    return ImportResult(effects)


def apply_import(
    entries: Sequence[FileEntry],
    actor: Actor,
    upload: Upload,
    also: Callable[[ImportResult], object] | None = None,
) -> ImportResult:
    """Do all of it and forget the file, or nothing where something is wrong.

    The database is locked only while it is written; what was read before must be so
    still.

    Args:
        also: what else is committed with it.
    """
    book = ImportBook.of(entries)
    with answered_by(book):
        result = ImportResult(judge_entries(entries, book))
        if not result.errors:
            with reporting_errors(result), transaction.atomic():
                refuse_stale(entries, book, upload)
                write_entries(result, actor)
                if also:
                    also(result)
    return result


@contextmanager
def reporting_errors(result: ImportResult) -> Iterator[None]:
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


def write_entries(result: ImportResult, actor: Actor) -> None:
    for effect in result.changes:
        for save in effect.saves:
            save(actor)
    for edits in split_waves(effect.edit for effect in result.changes):
        lifecycle.save_peers(edits, actor)


def refuse_stale(
    entries: Sequence[FileEntry], book: ImportBook, upload: Upload
) -> None:
    """Forget the file, and raise Stale unless all is as the book read it."""
    if not Upload.objects.filter(pk=upload.pk).delete()[0]:
        raise Stale("This file was imported already.")
    book.hold()
    if ImportBook.of(entries).state != book.state:
        raise Stale(MEANWHILE)


def split_waves(edits: Iterable[PeerEdit | None]) -> Iterable[list[PeerEdit]]:
    """Split so that each has a peer once: a later entry changes what an earlier did."""
    found: dict[int, list[PeerEdit]] = {}
    times: Counter[UUID] = Counter()
    for edit in filter(None, edits):
        found.setdefault(times[edit.peer.pk], []).append(edit)
        times[edit.peer.pk] += 1
    return found.values()
