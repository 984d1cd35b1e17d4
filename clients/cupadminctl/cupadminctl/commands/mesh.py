"""The mesh: show it, plan it, apply it, and write it as a file."""

from pathlib import Path
from typing import Any

import click

from cupadminctl.client import Console, Row
from cupadminctl.mesh_file import read_mesh_file, write_mesh_file
from cupadminctl.options import CliSession, end_if, exits, session, waiting, within

CELLS = {"from": "from", "to": "to", "state": "state", "users": "users", "of": "of"}
PLAN = {
    "action": "action",
    "cluster": "cluster",
    "address": "address",
    "change": "change",
    "warnings": "warnings",
    "errors": "errors",
}
SIGNS = {"add": "+", "create": "+", "change": "~", "update": "~", "none": "="}


@click.group()
def mesh() -> None:
    """Both entries of every pair of clusters."""


@mesh.command()
@session
def show(session: CliSession) -> None:
    """Show every pair of clusters, and how its peering is."""
    found = session.console.get("mesh/")
    if session.output == "table":
        names = {one["id"]: one["name"] for one in found["clusters"]}
        session.show([matrix_cell(one, names) for one in matrix_cells(found)], CELLS)
    else:
        session.show(found, {})


def matrix_cells(found: Row) -> list[Row]:
    missing = [{**one, "outcome": "missing"} for one in found["missing"]]
    return [*found["cells"], *missing]


def matrix_cell(one: Row, names: dict[str, str]) -> Row:
    return {
        "from": names[one["from"]],
        "to": names[one["to"]],
        "state": one["outcome"],
        "users": one.get("associated_users"),
        "of": one.get("remote_users"),
    }


@mesh.command()
@click.argument("file", type=click.Path(allow_dash=True, path_type=Path))
@exits("something would change")
@session
def plan(session: CliSession, file: Path, exit_code: bool) -> None:
    """Show what a file would change; changes nothing."""
    found = plan_of(session.console, read_mesh_file(file))
    print_plan(session, found)
    refuse_errors(found)
    end_if(has_changes(found), exit_code)


@mesh.command()
@click.argument("file", type=click.Path(allow_dash=True, path_type=Path))
@click.option("--plan-hash", help="Apply only the plan that has this hash.")
@waiting
@within
@session
def apply(
    session: CliSession,
    file: Path,
    plan_hash: str | None,
    wait: bool,
    within: float | None,
) -> None:
    """Bring clusters and peerings to what a file says."""
    document = read_mesh_file(file)
    console = session.console
    found = plan_of(console, document)
    if plan_hash and found["plan_hash"] != plan_hash:
        raise click.ClickException("The plan is no longer the one with this hash.")
    while True:
        refuse_errors(found)
        body = {"document": document, "plan_hash": found["plan_hash"]}
        answer = console.post("mesh/document/apply/", body)
        if answer["job"] is not None:
            job = console.get(f"jobs/{answer['job']}/")
            return session.follow(job, wait, within)
        if not answer["clusters"]:
            return print_plan(session, found)
        # The clusters are in the console now: their peerings can be planned.
        found = plan_of(console, document)


@mesh.command()
@click.argument("file", type=click.Path(allow_dash=True, path_type=Path), default="-")
@session
def export(session: CliSession, file: Path) -> None:
    """Write what the console has as a file, without passwords."""
    write_mesh_file(file, session.console.get("mesh/document/"))


def plan_of(console: Console, document: dict[str, Any]) -> Row:
    found: Row = console.post("mesh/document/plan/", {"document": document})
    return found


def has_changes(found: Row) -> bool:
    steps = any(step["action"] != "none" for step in found["steps"])
    return bool(steps or found["clusters"] or found["waiting"])


def refuse_errors(found: Row) -> None:
    if found["errors"]:
        raise click.ClickException("\n".join(found["errors"]))


def print_plan(session: CliSession, found: Row) -> None:
    if session.output != "table":
        return session.show(found, {})
    names = session.console.names()
    rows = [cluster_row(one) for one in found["clusters"]]
    rows += [waiting_row(pair) for pair in found["waiting"]]
    rows += [step_row(step, names) for step in found["steps"]]
    session.show(rows, PLAN)
    click.echo(f"Plan {found['plan_hash']}")


def cluster_row(one: Row) -> Row:
    changed = [f"{name} {old} → {new}" for name, (old, new) in one["changes"].items()]
    return {"action": SIGNS[one["action"]], "cluster": one["name"], "change": changed}


def waiting_row(pair: list[str]) -> Row:
    text = "planned once both clusters are in the console"
    return {"action": "+", "cluster": " and ".join(pair), "change": text}


def step_row(step: Row, names: dict[str, str]) -> Row:
    before, after = step["before"] or {}, step["after"] or {}
    changed = [
        f"{name} {before.get(name) or '-'} → {after[name] or '-'}"
        for name in after
        if before.get(name) != after[name]
    ]
    home, remote = names.get(step["cluster"]), names.get(step["remote_cluster"])
    return {
        **step,
        "action": SIGNS[step["action"]],
        "cluster": f"{home} to {remote}",
        "change": changed,
    }
