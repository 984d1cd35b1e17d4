"""Celery's filesystem broker, made safe for several processes and for bad files.

kombu's own transport creates a message under its final name and then writes it, so a
reader can meet an empty file and die; and it moves messages through the system's
temporary folder, which may lie on another filesystem. Here a message appears and is
taken by one rename each, inside one folder. What is no message of ours is moved to the
folder `rejected` and logged; it never ends a worker.
"""

import contextlib
import fcntl
import logging
import os
import stat
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.filesystem import Channel as FilesystemChannel
from kombu.transport.filesystem import Transport as FilesystemTransport
from kombu.transport.filesystem import exchange_queue_t
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

# A message names a job by its id; what is longer is none of ours.
MOST_BYTES = 256 * 1024
# So many rejected files are kept.
MOST_REJECTED = 100


class NotOurs(Exception):
    """A file of the folder is no message, for the reason that it says."""


class FolderChannel(FilesystemChannel):
    """A channel whose messages appear and vanish atomically."""

    @property
    def folder(self) -> Path:
        folder = Path(self.transport_options["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def data_folder_in(self) -> str:
        return str(self.folder)

    data_folder_out = data_folder_in

    @property
    def control_folder(self) -> Path:
        return self.folder / "control"

    # kombu's own two declarations of this method differ in the argument's name.
    def _put(  # type: ignore[override]
        self, queue: str, payload: Any, **kwargs: Any
    ) -> None:
        # Wall-clock nanoseconds, zero padded: names sort by age across reboots.
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        write_message(self.folder / name, dumps(payload))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for name in sorted(os.listdir(self.folder)):
            if name.startswith(".") or name.partition(".")[2] != f"{queue}.msg":
                continue
            try:
                return self.take(name)
            except FileNotFoundError:
                continue  # another worker was faster
            except (NotOurs, OSError) as error:
                reject_message(self.folder, name, str(error))
        raise Empty()

    def take(self, name: str) -> Any:
        """Take a message out of the folder.

        Raises:
            NotOurs, OSError: it is none, or cannot be read; it lies where it was.
        """
        path = self.folder / name
        refuse_strange(path)
        taken = self.folder / f".{name}.taken"
        path.rename(taken)
        try:
            payload = parse_message(taken.read_bytes())
            self.message_to_python(payload)
        except Exception as error:
            # Whatever kombu raises for what it did not write itself.
            taken.rename(path)
            raise NotOurs(f"{type(error).__name__}: {error}"[:200]) from None
        taken.unlink()
        return payload

    def get_table(self, exchange: str) -> list[Any]:
        file = self.table_of(exchange)
        try:
            rows = loads(file.read_text())
            return [exchange_queue_t(*map(str, row)) for row in rows]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError, OSError) as error:
            reject_message(file.parent, file.name, str(error))
            return []

    def table_of(self, exchange: str) -> Path:
        file: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]
        return file

    def _queue_bind(
        self,
        exchange: str,
        routing_key: str | None,
        pattern: str | None,
        queue: str | None,
    ) -> None:
        file = self.table_of(exchange)
        self.control_folder.mkdir(exist_ok=True)
        row = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with folder_lock(self.control_folder):
            table = self.get_table(exchange)
            if row not in table:
                write_message(file, dumps([row, *table]))


class Transport(FilesystemTransport):
    """The transport behind atomic-filesystem://."""

    Channel = FolderChannel

    def _deliver(self, message: Any, queue: str | None) -> None:
        try:
            super()._deliver(message, queue)
        except Exception:
            # A message of the right form whose headers no task can be made of. It must
            # not count as one that the worker is busy with.
            logger.exception("a message on %s could not be delivered", queue)
            tag = message["properties"]["delivery_tag"]
            for channel in self.channels or ():
                with contextlib.suppress(Exception):
                    channel.basic_reject(tag, requeue=False)


def write_message(path: Path, text: str) -> None:
    """Write a file that appears under its name only when it is whole on the disk."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def refuse_strange(path: Path) -> None:
    """Refuse what must not even be opened: a pipe would hold its reader for ever."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise NotOurs("not a file")
    if found.st_size > MOST_BYTES:
        raise NotOurs(f"{found.st_size} bytes are too many")


def parse_message(content: bytes) -> dict[str, Any]:
    payload = loads(content.decode())
    for name in ("headers", "properties"):
        if not isinstance(payload[name], dict):
            raise TypeError(f"{name} is no object")
    if not isinstance(payload["properties"]["delivery_info"], dict):
        raise TypeError("delivery_info is no object")
    if not isinstance(payload["properties"]["delivery_tag"], str):
        raise TypeError("delivery_tag is no text")
    found: dict[str, Any] = payload
    return found


def reject_message(folder: Path, name: str, reason: str) -> None:
    """Move a file out of the way and log it; the oldest rejected ones are deleted."""
    rejected = folder / "rejected"
    logger.error("%s is no message (%s); moved to %s", name, reason, rejected)
    # What cannot be moved is passed over, and logged again.
    with contextlib.suppress(OSError):
        rejected.mkdir(exist_ok=True)
        target = rejected / f"{time.time_ns():020d}_{name}"[-255:]
        (folder / name).rename(target)
        for old in sorted(rejected.iterdir())[:-MOST_REJECTED]:
            old.unlink()


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """One process at a time changes what lies in the folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


TRANSPORT_ALIASES["atomic-filesystem"] = "cupadmin.filesystem_broker:Transport"
