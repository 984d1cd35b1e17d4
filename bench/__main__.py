"""`python -m bench [NAME ...]`: run the measures, or the named, one after the other.

Each prints its table with ratios, and ends with an error when a measure is missed.
"""

import subprocess
import sys

MEASURES = (
    "client",
    "sweep",
    "rows",
    "mutants",
    "diagnostics judge",
    "diagnostics collect",
    "directory",
    "snapshot",
    "lists",
    "rest",
    "mesh",
    "exchange",
    "services",
    "pages",
    "adopt_clicks 4",
    "overview",
    "sites",
    "comparisons",
)
# Ten minutes and 4 GB: only when it is named.
LONG = ("year",)


def chosen(names: list[str]) -> list[str]:
    """Give the measures of the names, or all but the long; a name may have several."""
    known = {measure.split()[0] for measure in (*MEASURES, *LONG)}
    if unknown := set(names) - known:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    if not names:
        return list(MEASURES)
    return [x for x in (*MEASURES, *LONG) if x.split()[0] in names]


def run(measure: str) -> bool:
    name, *arguments = measure.split()
    print(f"\n== {measure}", flush=True)
    command = [sys.executable, "-m", f"bench.{name}", *arguments]
    return subprocess.run(command).returncode == 0


def main() -> None:
    missed = [measure for measure in chosen(sys.argv[1:]) if not run(measure)]
    if missed:
        sys.exit(f"\nmissed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
