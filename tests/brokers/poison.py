"""Kinds of jobs that take their worker down."""

import os
import re
import signal

from accounts.roles import Role
from jobs.kind import JobKind
from jobs.run import Step

# A pattern that backtracks for longer than anybody lives, and holds the interpreter.
TRAP = "a" * 64 + "b"


class HoldInterpreter(JobKind):
    name = "hold-interpreter"
    label = "Hold the interpreter"
    role = Role.OPERATOR

    def work(self) -> None:
        self.run.do("one", hold)


def hold(step: Step) -> None:
    re.match("(a+)+$", TRAP)


class KillWorker(JobKind):
    name = "kill-worker"
    label = "Kill the worker"
    role = Role.OPERATOR

    def work(self) -> None:
        self.run.do("one", lambda step: os.kill(os.getpid(), signal.SIGKILL))


class SayProcess(JobKind):
    name = "say-process"
    label = "Say which process it is"
    role = Role.OPERATOR

    def work(self) -> None:
        self.run.do("one", lambda step: f"{os.getpid()} of {os.getppid()}")
