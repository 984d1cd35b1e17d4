"""Exit codes. click itself ends with 2 when a command is written wrong."""

import click

FAILED = 1
JOB_FAILED = 3
DIFFERS = 4
STILL_RUNNING = 5


class Failed(click.ClickException):
    """The console was not reached, or refused; the message says why."""

    exit_code = FAILED


class JobFailed(click.ClickException):
    """A job ended without success."""

    exit_code = JOB_FAILED


class StillRunning(click.ClickException):
    """A job did not end in the time that was allowed; it goes on."""

    exit_code = STILL_RUNNING
