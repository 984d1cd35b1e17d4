"""The mesh from a file: plan it, apply it, or write what the console has."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.audit import Actor
from clusters.certificates import FingerprintDiffers
from jobs.locks import Busy
from jobs.models import Job
from mesh import applying, reconcile
from mesh.entry_changes import MeshPlan
from mesh.plan import plan_mesh
from mesh.spec import Document, parse_spec
from wire import WireError

COMMAND_LINE = Actor(name="command line")
SIGNS = {"create": "+", "update": "~", "delete": "-", "none": " "}
POLL_PAUSE = 1.0


class Command(BaseCommand):
    """Exit status of `plan`: 0 nothing would change, 2 something would, 1 errors."""

    help = "Plan, apply or export clusters and peerings as a YAML file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("plan", "apply", "export"))
        parser.add_argument("file", type=Path, help="- for standard input or output")
        parser.add_argument(
            "--no-wait", action="store_true", help="do not follow the job to its end"
        )

    def handle(self, *, action: str, file: Path, no_wait: bool, **options: Any) -> None:
        if action == "export":
            self.export(file)
            return
        try:
            document = parse_spec(text_of(file))
            reconcile.refuse_unknown_names(document)
            if action == "plan":
                self.plan(document)
            else:
                self.apply(document, wait=not no_wait)
        except (ValueError, OSError, FingerprintDiffers, WireError) as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except (applying.PlanBlocked, applying.PlanChanged, Busy) as error:
            raise CommandError(str(error)) from error

    def export(self, file: Path) -> None:
        text = reconcile.export_yaml()
        if str(file) == "-":
            self.stdout.write(text, ending="")
            return
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from None

    def plan(self, document: Document) -> None:
        clusters = reconcile.cluster_changes(document)
        for change in clusters:
            self.stdout.write(f"{'~' if change.cluster else '+'} {change}")
        for pair in reconcile.waiting_pairs(document):
            self.stdout.write(f"+ {' and '.join(pair)}: once both are in the console")
        found = plan_mesh(reconcile.intent_of(document))
        self.print_plan(found)
        if found.errors:
            raise CommandError("\n".join(found.errors))
        if clusters or found.changes or reconcile.waiting_pairs(document):
            sys.exit(2)
        self.stdout.write("Nothing to change.")

    def print_plan(self, found: MeshPlan) -> None:
        for step in found.changes:
            sign = SIGNS[step.action]
            self.stdout.write(
                f"{sign} {step.home} to {step.remote}: {step.address}, {step.sentence}"
            )
        for warning in found.warnings:
            self.stdout.write(f"! {warning}")

    def apply(self, document: Document, *, wait: bool) -> None:
        for change in reconcile.cluster_changes(document):
            reconcile.apply_cluster(change, COMMAND_LINE)
            self.stdout.write(f"{'~' if change.cluster else '+'} {change}")
        intent = reconcile.intent_of(document)
        found = plan_mesh(intent)
        self.print_plan(found)
        if found.errors:
            raise CommandError("\n".join(found.errors))
        if not found.changes:
            self.stdout.write("Nothing to change on the clusters.")
            return
        job = applying.apply_plan(intent, found.hash, COMMAND_LINE)
        self.stdout.write(f"{job}: {job.pk}")
        if wait:
            self.follow(job)

    def follow(self, job: Job) -> None:
        doing = ""
        while job.active:
            if job.doing and job.doing != doing:
                doing = job.doing
                self.stdout.write(f"{job.done}/{job.total} {doing}")
            time.sleep(POLL_PAUSE)
            job.refresh_from_db()
        self.stdout.write(f"{job.get_state_display()} {job.error}".strip())
        if job.state != Job.State.SUCCEEDED:
            raise CommandError(f"The job ended {job.get_state_display().lower()}.")


def text_of(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeError:
        raise CommandError(f"{file} is not text in UTF-8.") from None
