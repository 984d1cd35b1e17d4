"""Intercluster peers: list, show, history, check."""

from datetime import UTC, datetime
from typing import Any

import click

from cupadminctl.client import Console, Row
from cupadminctl.commands.clusters import given_filters
from cupadminctl.options import CliSession, end_if, exits, session, waiting, within

COLUMNS = {
    "id": "id",
    "cluster": "cluster_name",
    "remote": "remote_name",
    "address": "address",
    "protocol": "protocol",
    "provisioning": "provisioning_state",
    "outcome": "status.outcome",
    "users": "associated_users",
    "of": "remote_users",
    "checked": "status.checked_at",
}
ENTRIES = {
    "code": "code",
    "outcome": "outcome",
    "known by": "evidence",
    "problem": "problem",
    "solution": "solution",
}
BUCKETS = {
    name.replace("_", " "): name
    for name in (
        "at",
        "checks",
        "passed",
        "warning",
        "failed",
        "unknown",
        "associated_users",
        "remote_users",
    )
}
TIMES = ("since", "until")


@click.group()
def peers() -> None:
    """Intercluster peers."""


def with_cluster_names(rows: list[Row], console: Console) -> list[Row]:
    """Add the names of the clusters to peers."""
    names = console.names()
    return [
        {
            **row,
            "cluster_name": names.get(row["cluster"]),
            "remote_name": names.get(row["remote_cluster"]),
        }
        for row in rows
    ]


@peers.command("list")
@click.option("--cluster", metavar="NAME", help="Only those of a cluster.")
@click.option("--outcome", help="passed, failed, warning or unknown.")
@click.option("--protocol", help="TCP, UDP or TLS.")
@session
def list_peers(
    session: CliSession, cluster: str | None, outcome: str | None, protocol: str | None
) -> None:
    """List the peers."""
    console = session.console
    query = given_filters({"outcome": outcome, "protocol": protocol})
    if cluster:
        query["cluster"] = console.cluster_id(cluster)
    session.show(with_cluster_names(console.every("peers/", **query), console), COLUMNS)


@peers.command()
@click.argument("peer", metavar="ID", type=click.UUID)
@session
def show(session: CliSession, peer: str) -> None:
    """Show the status of one peer, entry by entry."""
    row = session.console.get(f"peers/{peer}/")
    if session.output == "table":
        session.show(row["status"]["entries"], ENTRIES)
    else:
        session.show(row, {})


@peers.command()
@click.argument("peer", metavar="ID", type=click.UUID)
@click.option("--since", metavar="TIME", help="As in 2026-01-31 or 2026-01-31T08:00Z.")
@click.option("--until", metavar="TIME", help="Likewise; now if not given.")
@click.option(
    "--step",
    type=click.Choice(["hour", "day"]),
    help="Checks by hour or day; single checks if not given.",
)
@exits("the peer did not pass each check of the time")
@session
def history(
    session: CliSession,
    peer: str,
    since: str | None,
    until: str | None,
    step: str | None,
    exit_code: bool,
) -> None:
    """Show the checks of a peer, oldest first, and its availability."""
    query = given_filters({"since": since, "until": until, "step": step})
    query |= {name: full_time(query[name]) for name in TIMES if name in query}
    found = session.console.get(f"peers/{peer}/history/", **query)
    if session.output == "table":
        session.show(found["buckets"], BUCKETS)
        click.echo(availability_line(found["availability"]))
    else:
        session.show(found, {})
    end_if(any(one["failed"] for one in found["buckets"]), exit_code)


def full_time(text: str) -> str:
    """Return a time as REST reads it; a day begins at midnight, UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text} is not a time.") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()


def availability_line(availability: Row) -> str:
    parts = [
        f"{name} {'-' if value is None else f'{value:.2f} %'}"
        for name, value in availability.items()
    ]
    return f"Availability: {', '.join(parts)}"


@peers.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=click.UUID)
@click.option("--cluster", metavar="NAME", help="All peers of a cluster.")
@click.option("--all", "every", is_flag=True, help="All peers.")
@waiting
@within
@session
def check(
    session: CliSession,
    ids: tuple[str, ...],
    cluster: str | None,
    every: bool,
    wait: bool,
    within: float | None,
) -> None:
    """Check peers now: by id, those of a cluster, or all."""
    if sum([bool(ids), bool(cluster), every]) != 1:
        raise click.UsageError("Name peers by id, or give --cluster or --all.")
    body: dict[str, Any] = {"ids": [str(one) for one in ids]} if ids else {}
    if cluster:
        body["cluster"] = session.console.cluster_id(cluster)
    session.follow(session.console.post("peers/check/", body), wait, within)
