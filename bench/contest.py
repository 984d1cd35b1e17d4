"""Contestants in processes of their own, compared within one run.

Absolute times move with the machine: what counts are the ratios.
"""

import argparse
import contextlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

MIB = 1024


@dataclass
class Result:
    """Median seconds, the process's peak memory, and its growth during the work."""

    name: str
    seconds: float
    peak_mib: float
    extra_mib: float
    answer: object = None


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def perform(work: Callable[[], object]) -> None:
    """Do the work of one contestant and print what it took, as JSON."""
    before, started = peak(), time.perf_counter()
    answer = work()
    seconds = time.perf_counter() - started
    print(json.dumps([seconds, peak(), peak() - before, answer]))


def measure(module: str, name: str, *arguments: object, rounds: int = 3) -> Result:
    """Run a contestant in a fresh process, several times; give the medians."""
    return _medians(name, [_run(module, name, *arguments) for _ in range(rounds)])


def in_turns(
    module: str, names: Sequence[str], *arguments: object, rounds: int = 3
) -> list[Result]:
    """Measure contestants turn and turn about: the machine's mood is then the same."""
    runs: dict[str, list[list[Any]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            runs[name].append(_run(module, name, *arguments))
    return [_medians(name, done) for name, done in runs.items()]


def _run(module: str, name: str, *arguments: object) -> list[Any]:
    command = [sys.executable, "-m", module, "--contestant", name, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    reported: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return reported


def _medians(name: str, runs: list[list[Any]]) -> Result:
    middle = [statistics.median(run[at] for run in runs) for at in range(3)]
    return Result(name, *middle, runs[0][3])


def table(title: str, results: list[Result], ours: str) -> None:
    """Print all results and, for each, how many times as long as ours it took."""
    mine = next(result for result in results if result.name == ours)
    print(f"\n{title}")
    print(f"  {'':<44}{'s':>9}{'ratio':>8}{'peak MiB':>10}{'extra MiB':>11}")
    for result in results:
        ratio = result.seconds / mine.seconds
        print(
            f"  {result.name:<44}{result.seconds:>9.3f}{ratio:>8.2f}"
            f"{result.peak_mib:>10.0f}{result.extra_mib:>11.1f}"
        )


def verdict(text: str, value: float, most: float) -> bool:
    held = value <= most
    print(f"  {'held' if held else 'MISSED'}: {text}: {value:.2f} (at most {most})")
    return held


@contextlib.contextmanager
def server(
    *arguments: object, module: str = "bench.server"
) -> Iterator[dict[str, object]]:
    """Run a server in its own process and give what it says of itself."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def contestant() -> tuple[str | None, list[str]]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--contestant")
    known, rest = parser.parse_known_args()
    return known.contestant, rest
