"""Jobs: list, show, wait, cancel, retry."""

import click

from cupadminctl.commands.clusters import given_filters
from cupadminctl.options import JOB, CliSession, session, waiting, within

STEPS = {"step": "label", "state": "state", "detail": "detail"}


@click.group()
def jobs() -> None:
    """Background work of the console."""


@jobs.command("list")
@click.option("--state", help="As in queued, running, failed or needs_attention.")
@click.option("--kind", help="As in check-peers or set-up-peerings.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How many, newest first.",
)
@session
def list_jobs(
    session: CliSession, state: str | None, kind: str | None, limit: int
) -> None:
    """List jobs, newest first."""
    query = given_filters({"state": state, "kind": kind})
    session.show(session.console.every("jobs/", limit, **query), JOB)


@jobs.command()
@click.argument("job", metavar="ID", type=click.UUID)
@session
def show(session: CliSession, job: str) -> None:
    """Show the steps of a job."""
    row = session.console.get(f"jobs/{job}/")
    if session.output == "table":
        session.show(row["steps"], STEPS)
    else:
        session.show(row, {})


@jobs.command()
@click.argument("job", metavar="ID", type=click.UUID)
@within
@session
def wait(session: CliSession, job: str, within: float | None) -> None:
    """Wait until a job has ended."""
    session.follow(session.console.get(f"jobs/{job}/"), True, within)


@jobs.command()
@click.argument("job", metavar="ID", type=click.UUID)
@session
def cancel(session: CliSession, job: str) -> None:
    """Ask a job to stop after its present step."""
    session.follow(session.console.post(f"jobs/{job}/cancel/"), False)


@jobs.command()
@click.argument("job", metavar="ID", type=click.UUID)
@waiting
@within
@session
def retry(session: CliSession, job: str, wait: bool, within: float | None) -> None:
    """Start a job again that ended without success."""
    session.follow(session.console.post(f"jobs/{job}/retry/"), wait, within)
