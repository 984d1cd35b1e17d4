"""Network services of the nodes: list, start, stop, restart."""

import click

from cupadminctl.commands.clusters import given_filters
from cupadminctl.options import CliSession, session, waiting, within

COLUMNS = {
    "id": "id",
    "cluster": "cluster_name",
    "node": "node_name",
    "service": "name",
    "status": "status",
    "up (s)": "up_time",
    "observed": "observed_at",
    "reason": "reason",
}


@click.group()
def services() -> None:
    """Network services of the nodes."""


@services.command("list")
@click.option("--cluster", metavar="NAME", help="Only those of a cluster.")
@click.option("--name", help="The exact name, as in Cisco Intercluster Sync Agent.")
@click.option("--status", help="As in started or stopped.")
@session
def list_services(
    session: CliSession, cluster: str | None, name: str | None, status: str | None
) -> None:
    """List the services as they were last read."""
    console = session.console
    query = given_filters({"name": name, "status": status})
    if cluster:
        query["cluster"] = console.cluster_id(cluster)
    clusters = console.names()
    nodes = {row["id"]: row["name"] for row in console.every("nodes/")}
    rows = [
        {
            **row,
            "cluster_name": clusters.get(row["cluster"]),
            "node_name": nodes.get(row["node"]),
        }
        for row in console.every("services/", **query)
    ]
    session.show(rows, COLUMNS)


def add_action(action: str, help_text: str) -> None:
    """Add the command that starts, stops or restarts one service."""

    @services.command(action, help=help_text)
    @click.argument("service", metavar="ID", type=click.UUID)
    @waiting
    @within
    @session
    def control(
        session: CliSession, service: str, wait: bool, within: float | None
    ) -> None:
        job = session.console.post(f"services/{service}/{action}/")
        session.follow(job, wait, within)


add_action("start", "Start a service.")
add_action("stop", "Stop a service.")
add_action("restart", "Restart a service.")
