"""Where the code is: in a checkout, or in the package that pip has installed.

The package has the other top-level packages of the checkout, the templates and the
static files in `_tree`, so that general names such as `jobs` and `pages` do not stand
beside the packages of others. `hatch_build.py` puts them there.
"""

import os
import sys
from pathlib import Path

PACKAGED = Path(__file__).resolve().with_name("_tree")
INSTALLED = PACKAGED.is_dir()
TREE = PACKAGED if INSTALLED else Path(__file__).resolve().parent.parent
# How messages name the command line.
COMMAND = "cupadmin" if INSTALLED else "manage.py"


def open_tree() -> None:
    """Let this process, and those that it starts, import the packages of the tree."""
    if not INSTALLED or str(TREE) in sys.path:
        return
    sys.path.insert(0, str(TREE))
    inherited = os.environ.get("PYTHONPATH")
    paths = [str(TREE), *([inherited] if inherited else [])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)


def default_data_directory() -> Path:
    """`var/` of a checkout; the user's data directory for an installed package."""
    if not INSTALLED:
        return TREE / "var"
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "cupadmin"
