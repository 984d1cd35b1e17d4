"""Intercluster peers: list, show, check."""

from typing import Any

import click

from cupadminctl.client import Console, Row
from cupadminctl.commands.clusters import given_filters
from cupadminctl.options import CliSession, session, waiting, within

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
