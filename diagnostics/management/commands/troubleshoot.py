"""Run the System Troubleshooter from a script or a monitoring system."""

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rest_framework.renderers import JSONRenderer

from clusters.models import Cluster
from diagnostics.api import RunSerializer
from diagnostics.jobs.troubleshoot import Troubleshoot
from diagnostics.models import TroubleshooterResult, TroubleshooterRun
from jobs.engine import perform_job

Outcome = TroubleshooterResult.Outcome
RUN_TIMEOUT = 300.0


class Command(BaseCommand):
    """Exit status 0: all good, 1: warnings, 2: failures or no result."""

    help = "Run the System Troubleshooter; exit with 0 (good), 1 (warnings) or 2."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--cluster", action="append", default=[], help="only this one; repeatable"
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *, cluster: list[str], format: str, **options: Any) -> None:
        run = Troubleshoot.submit(self.chosen(cluster), reason="command line")
        # Here and now: a script must not depend on a worker being up.
        perform_job(str(run.job_id))
        run = self.finished(run)
        if format == "json":
            self.stdout.write(JSONRenderer().render(RunSerializer(run).data).decode())
        else:
            self.print_run(run)
        sys.exit(status_of(run))

    def chosen(self, names: list[str]) -> list[Cluster]:
        clusters = Cluster.objects.order_by("name")
        found = list(clusters.filter(name__in=names) if names else clusters)
        unknown = set(names) - {cluster.name for cluster in found}
        if unknown:
            raise CommandError(f"There is no cluster {min(unknown)}.", returncode=2)
        if not found:
            raise CommandError("There are no clusters.", returncode=2)
        return found

    def finished(self, run: TroubleshooterRun) -> TroubleshooterRun:
        """Wait for a worker that may have been quicker to take the job."""
        deadline = time.monotonic() + RUN_TIMEOUT
        while True:
            run = TroubleshooterRun.objects.select_related("job").get(pk=run.pk)
            if not run.active or time.monotonic() > deadline:
                return run
            time.sleep(0.5)

    def print_run(self, run: TroubleshooterRun) -> None:
        for result in run.results.exclude(outcome=Outcome.PASSED):
            self.stdout.write(
                f"{result.outcome.upper():<12}{result.subject}: {result.description}"
            )
            self.stdout.write(f"{'':<12}{result.problem} {result.solution}".rstrip())
        self.stdout.write(
            ", ".join(f"{count} {outcome}" for outcome, count in run.totals.items())
            or json.dumps(run.state)
        )


def status_of(run: TroubleshooterRun) -> int:
    if not run.finished_at or run.totals.get(Outcome.FAILED):
        return 2
    return 1 if run.totals.get(Outcome.WARNING) else 0
