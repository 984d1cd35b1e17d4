"""What the commands have in common: the console, the format, waiting for jobs."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import click

from cupadminctl.client import Console, Row
from cupadminctl.exits import DIFFERS
from cupadminctl.files import read_text
from cupadminctl.output import Columns, print_rows, printable_text

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

JOB = {
    "id": "id",
    "kind": "kind",
    "target": "target.label",
    "state": "state",
    "done": "progress.done",
    "of": "progress.total",
    "error": "error",
    "created": "created_at",
}


@dataclass
class CliSession:
    """The options of the whole command line; connects when first needed."""

    url: str | None
    token_file: Path | None
    ca_file: str | None
    timeout: float
    output: str

    @cached_property
    def console(self) -> Console:
        if not self.url:
            raise click.UsageError("Set CUPADMIN_URL or give --url.")
        found = Console(self.url, self.token(), self.ca_file, self.timeout)
        click.get_current_context().call_on_close(found.http.close)
        return found

    def token(self) -> str:
        """Read the token: from a file, or the environment, never from the command."""
        if self.token_file is None:
            found = os.environ.get("CUPADMIN_TOKEN", "").strip()
        else:
            found = read_text(self.token_file).strip()
        if not (found.isascii() and found.isprintable() and found):
            raise click.UsageError(
                "Set CUPADMIN_TOKEN, or CUPADMIN_TOKEN_FILE to a file with the token."
            )
        return found

    def show(self, rows: Any, columns: Columns) -> None:
        print_rows(rows, columns, self.output)

    def follow(self, job: Row, wait: bool, limit: float | None = None) -> None:
        """Show a job that was started; if asked, when it has ended."""
        if wait:
            job = self.console.wait(job, limit, show_progress)
        self.show(job, JOB)


def show_progress(job: Row) -> None:
    """Show on a terminal how far a job is."""
    if sys.stderr.isatty():
        progress = job["progress"]
        text = f"{printable_text(job['state'])} {progress['done']}/{progress['total']}"
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)
        if job["state"] not in ("queued", "running"):
            click.echo("\r\x1b[K", nl=False, err=True)


def end_if(differs: bool, exit_code: bool) -> None:
    """End with the code for differences, where the command was asked to."""
    if differs and exit_code:
        raise SystemExit(DIFFERS)


session = click.make_pass_decorator(CliSession)

waiting = click.option(
    "--wait/--no-wait", default=True, help="Wait for the job to end (the default)."
)
within = click.option(
    "--within",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Stop waiting after so long; the job goes on.",
)


def exits(what: str) -> Callable[[Decorated], Decorated]:
    """Make the option that ends with a code of its own when something was found."""
    return click.option(
        "--exit-code", is_flag=True, help=f"End with {DIFFERS} if {what}."
    )
