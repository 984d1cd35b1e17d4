"""`python -m bench [NAME ...]`: run all measures, or the named, one after the other."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def measures() -> list[str]:
    """Give the modules that measure: those that can be run, the server apart."""
    texts = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.py"))}
    runnable = [
        name for name, text in texts.items() if '__name__ == "__main__"' in text
    ]
    return [name for name in runnable if name not in ("server", "__main__")]


def main() -> None:
    names = sys.argv[1:] or measures()
    missed = [
        name
        for name in names
        if subprocess.run([sys.executable, "-m", f"bench.{name}"]).returncode
    ]
    if missed:
        sys.exit(f"\nmissed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
