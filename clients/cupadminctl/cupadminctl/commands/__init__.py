"""The command line: options of all commands, and the commands by subject."""

from pathlib import Path

import click
from click.shell_completion import get_completion_class

from cupadminctl import __version__
from cupadminctl.commands.clusters import clusters
from cupadminctl.commands.diagnostics import drift, problems, troubleshoot
from cupadminctl.commands.jobs import jobs
from cupadminctl.commands.mesh import mesh
from cupadminctl.commands.peers import peers
from cupadminctl.commands.services import services
from cupadminctl.options import CliSession, session
from cupadminctl.output import FORMATS

EPILOG = """\b
Exit codes:
  0  done
  1  the console was not reached, or refused
  2  the command is written wrong
  3  a job ended without success
  4  something was found, with --exit-code
  5  a job did not end within --within; it goes on
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", envvar="CUPADMIN_URL", help="The console, as in https://HOST.")
@click.option(
    "--token-file",
    envvar="CUPADMIN_TOKEN_FILE",
    type=click.Path(path_type=Path),
    help="File with an API token; otherwise CUPADMIN_TOKEN holds the token.",
)
@click.option(
    "--ca-file",
    envvar="CUPADMIN_CA_FILE",
    help="Certificates (PEM) to trust instead of those of the system.",
)
@click.option(
    "--timeout",
    envvar="CUPADMIN_TIMEOUT",
    type=click.FloatRange(min=1),
    default=30,
    show_default=True,
    help="Seconds to wait for an answer.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
)
@click.version_option(__version__)
@click.pass_context
def cli(
    context: click.Context,
    url: str | None,
    token_file: Path | None,
    ca_file: str | None,
    timeout: float,
    output: str,
) -> None:
    """Work with a cupadmin console from a shell or a script."""
    context.obj = CliSession(url, token_file, ca_file, timeout, output)


@cli.command()
@session
def whoami(session: CliSession) -> None:
    """Show the user, the role and the limits of the token."""
    me = session.console.get("me/")
    session.show(me, {"user": "username", "role": "role", "clusters": "clusters"})


@cli.command()
@session
def version(session: CliSession) -> None:
    """Show the version of the console."""
    found = session.console.get("version/")
    session.show(found, {"version": "version", "commit": "commit"})


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh"]))
def completion(shell: str) -> None:
    """Print the completion of a shell: source <(cupadminctl completion bash)."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows both
    click.echo(kind(cli, {}, "cupadminctl", "_CUPADMINCTL_COMPLETE").source())


for command in (
    *(clusters, peers, mesh, jobs, services),
    *(troubleshoot, drift, problems),
):
    cli.add_command(command)
