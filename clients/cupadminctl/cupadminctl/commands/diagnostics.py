"""What is wrong: the troubleshooter, drift, problems."""

import click

from cupadminctl.client import Row
from cupadminctl.commands.clusters import given_filters
from cupadminctl.commands.peers import with_cluster_names
from cupadminctl.options import (
    CliSession,
    end_if,
    exits,
    session,
    show_progress,
    within,
)

TESTS = {
    "outcome": "outcome",
    "code": "code",
    "cluster": "cluster_name",
    "node": "node_name",
    "peer": "peer_address",
    "problem": "problem",
    "solution": "solution",
}
DRIFT = {
    "peer": "peer",
    "cluster": "cluster",
    "field": "field",
    "console": "console",
    "on the cluster": "on_cluster",
}
PROBLEMS = {
    "severity": "severity",
    "code": "code",
    "problem": "sentence",
    "since": "since",
    "acknowledged": "acknowledged.by",
}
REMOVED = "the entry was removed"


@click.command()
@click.option(
    "--cluster",
    "names",
    metavar="NAME",
    multiple=True,
    help="May be given more than once; default: all.",
)
@click.option("--all-tests", is_flag=True, help="Show the passed tests, too.")
@within
@exits("a test failed")
@session
def troubleshoot(
    session: CliSession,
    names: tuple[str, ...],
    all_tests: bool,
    within: float | None,
    exit_code: bool,
) -> None:
    """Run the System Troubleshooter, and show what it found."""
    console = session.console
    chosen = [console.cluster_id(name) for name in names]
    job = console.post("troubleshooter-runs/", {"clusters": chosen or "all"})
    console.wait(job, within, show_progress)
    run = console.get(f"troubleshooter-runs/{job['run']}/")
    if session.output == "table":
        tests = [test for section in run["sections"] for test in section["tests"]]
        session.show([t for t in tests if all_tests or is_notable(t)], TESTS)
    else:
        session.show(run, {})
    end_if(run["totals"]["failed"] > 0, exit_code)


def is_notable(test: Row) -> bool:
    return test["outcome"] in ("failed", "warning")


@click.command()
@exits("an entry differs")
@session
def drift(session: CliSession, exit_code: bool) -> None:
    """List entries that were changed or removed on a cluster itself."""
    console = session.console
    found = [
        row
        for peer in with_cluster_names(console.every("peers/"), console)
        for row in differences_of(peer)
    ]
    session.show(found, DRIFT)
    end_if(bool(found), exit_code)


def differences_of(peer: Row) -> list[Row]:
    about = {"peer": peer["address"], "cluster": peer["cluster_name"], "id": peer["id"]}
    if peer["provisioning_state"] == "absent":
        return [{**about, "field": None, "console": None, "on_cluster": REMOVED}]
    return [
        {**about, "field": name, "console": one["wanted"], "on_cluster": one["cluster"]}
        for name, one in peer["drift"].items()
    ]


@click.command()
@click.option("--cluster", metavar="NAME", help="Only those of a cluster.")
@click.option("--severity", help="failed, warning or unknown.")
@exits("there is a problem")
@session
def problems(
    session: CliSession, cluster: str | None, severity: str | None, exit_code: bool
) -> None:
    """List what needs attention, worst first."""
    console = session.console
    query = given_filters({"severity": severity})
    if cluster:
        query["cluster"] = console.cluster_id(cluster)
    found = console.every("problems/", **query)
    session.show(found, PROBLEMS)
    end_if(bool(found), exit_code)
