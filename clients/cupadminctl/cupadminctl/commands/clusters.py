"""Clusters: list, read again, test."""

from typing import Any

import click

from cupadminctl.options import CliSession, session, waiting, within

COLUMNS = {
    "id": "id",
    "name": "name",
    "version": "version",
    "provisioning": "provisioning",
    "site": "site",
    "health": "health",
    "checked": "checked_at",
}


@click.group()
def clusters() -> None:
    """Clusters that the console has."""


@clusters.command("list")
@click.option("--site", help="Only those of a site.")
@click.option("--health", help="ok, warning, failed or unknown.")
@session
def list_clusters(session: CliSession, site: str | None, health: str | None) -> None:
    """List the clusters."""
    query = {"site": site, "health": health}
    session.show(session.console.every("clusters/", **given_filters(query)), COLUMNS)


@clusters.command()
@click.argument("name")
@session
def show(session: CliSession, name: str) -> None:
    """Show one cluster, by name or id."""
    pk = session.console.cluster_id(name)
    session.show(session.console.get(f"clusters/{pk}/"), COLUMNS)


@clusters.command()
@click.argument("name")
@waiting
@within
@session
def discover(session: CliSession, name: str, wait: bool, within: float | None) -> None:
    """Read version, nodes and services of a cluster."""
    pk = session.console.cluster_id(name)
    session.follow(session.console.post(f"clusters/{pk}/discover/"), wait, within)


@clusters.command()
@click.argument("name")
@waiting
@within
@session
def test(session: CliSession, name: str, wait: bool, within: float | None) -> None:
    """Reach every node of a cluster."""
    pk = session.console.cluster_id(name)
    session.follow(session.console.post(f"clusters/{pk}/test/"), wait, within)


def given_filters(query: dict[str, str | None]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}
