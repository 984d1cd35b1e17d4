"""Where snapshots lie: in the database, and on each host in a file that is mapped."""

import logging
import mmap
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from clusters.models import Cluster
from directory.column_builder import Piece
from directory.columns import Columns
from directory.models import Snapshot, SnapshotPart

logger = logging.getLogger(__name__)

# Small enough for any database's limit on one value, and for a worker's memory.
PART = 4 * 1024 * 1024
SAMPLE = 16 * 1024
_SUFFIX = ".columns"


@dataclass(frozen=True)
class Content:
    """What is stored of a snapshot's columns: compressed parts, and the whole size."""

    parts: list[bytes]
    size: int


def compress_pieces(pieces: Iterable[Piece]) -> Content:
    parts, size = [], 0
    for piece in pieces:
        size += len(piece)
        level = 1 if _shrinks(piece) else 0
        parts += [zlib.compress(part, level) for part in _chunks(memoryview(piece))]
    return Content(parts, size)


def _shrinks(piece: Piece) -> bool:
    """Whether it is worth the work: hashes stay as long as they are."""
    sample = piece[:SAMPLE]
    return len(zlib.compress(sample, 1)) < 0.9 * len(sample)


def _chunks(view: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(view), PART):
        yield view[start : start + PART]


def save_snapshot(snapshot: Snapshot, content: Content) -> None:
    """Store a snapshot whole, or nothing of it."""
    snapshot.size = content.size
    with transaction.atomic():
        snapshot.save(force_insert=True)
        for number, part in enumerate(content.parts):
            SnapshotPart.objects.create(snapshot=snapshot, number=number, content=part)


def columns_of(snapshot: Snapshot) -> Columns:
    return _opened(snapshot.pk, snapshot.size)


# A snapshot never changes, so a process maps it once.
@lru_cache(maxsize=512)
def _opened(pk: UUID, size: int) -> Columns:
    path = snapshot_folder() / f"{pk}{_SUFFIX}"
    try:
        if not (path.exists() and path.stat().st_size == size):
            _write_parts(path, pk)
        with path.open("rb") as file:
            return Columns(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        # A full disk takes the speed, not the answer.
        logger.warning("snapshot %s cannot be kept as a file: %s", pk, error)
        return Columns(b"".join(_parts_of(pk)))


def snapshot_folder() -> Path:
    return Path(settings.DATA_DIR) / "directory"


def _write_parts(path: Path, pk: UUID) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            for part in _parts_of(pk):
                file.write(part)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _parts_of(pk: UUID) -> Iterator[bytes]:
    parts = SnapshotPart.objects.filter(snapshot=pk).order_by("number")
    contents = parts.values_list("content", flat=True).iterator(chunk_size=1)
    return (zlib.decompress(content) for content in contents)


def prune_snapshots(cluster: Cluster, keep: int) -> None:
    """Delete all but the newest snapshots of a cluster, and files of none."""
    newest = cluster.snapshots.order_by("-taken_at").values_list("pk", flat=True)
    cluster.snapshots.exclude(pk__in=list(newest[:keep])).delete()
    known = {str(pk) for pk in Snapshot.objects.values_list("pk", flat=True)}
    for path in snapshot_folder().glob(f"*{_SUFFIX}"):
        if path.name.removesuffix(_SUFFIX) not in known:
            path.unlink(missing_ok=True)


def latest_snapshots(moment: datetime | None = None) -> dict[UUID, Snapshot]:
    """The newest snapshot of each cluster, by the cluster's id."""
    snapshots = Snapshot.objects.all()
    if moment:
        snapshots = snapshots.before(moment)
    return {one.cluster_id: one for one in snapshots.latest_each()}
