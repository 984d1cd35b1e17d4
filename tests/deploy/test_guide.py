"""What docs/operations.md names is there."""

import re
import tomllib
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

import cupadmin
from cupadmin.management.commands.run import web_command

ROOT = Path(settings.BASE_DIR)
GUIDE = (ROOT / "docs" / "operations.md").read_text()
VARIABLES = (ROOT / "docs" / "configuration.md").read_text()
# Of the units; `create_user` reads it as the guide says.
OTHER = {"CUPADMIN_QUEUES", "CUPADMIN_PASSWORD", "CUPADMIN_PASSWORD_FILE"}


def test_files_of_the_guide_exist():
    named = set(re.findall(r"\b(?:deploy/[\w./-]+|requirements[\w-]*\.txt)", GUIDE))
    found = {name.rstrip("./") for name in named}
    assert len(found) > 5
    assert [name for name in found if not (ROOT / name).exists()] == []


def test_commands_of_the_guide_exist():
    named = set(re.findall(r"^    cupadmin (\w+)", GUIDE, re.MULTILINE))
    named |= set(re.findall(r"manage\.py (\w+)", GUIDE))
    assert {"migrate", "collectstatic", "create_user", "verify_audit"} <= named
    assert named <= set(get_commands())


def test_units_of_the_guide_exist():
    named = set(re.findall(r"\bcupadmin-(?:\w+)@?", GUIDE))
    units = {path.stem for path in (ROOT / "deploy" / "systemd").iterdir()}
    assert units <= named
    assert named - units <= {"cupadmin-password"}


@pytest.mark.parametrize("where", ["docs/operations.md", "deploy/cupadmin.env"])
def test_variables_of_the_guide_are_documented(where):
    text = (ROOT / where).read_text()
    named = set(re.findall(r"\bCUPADMIN_[A-Z_]+[A-Z]", text)) - OTHER
    unknown = {name for name in named if name.removesuffix("_FILE") not in VARIABLES}
    assert named
    assert unknown == set()


def test_there_is_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"] == {"path": "cupadmin/__init__.py"}
    assert cupadmin.__version__ == settings.VERSION
    changes = (ROOT / "CHANGELOG.md").read_text()
    newest = re.search(r"^## (\S+)", changes, re.MULTILINE)
    assert newest[1] == cupadmin.__version__.partition(".dev")[0]


@pytest.mark.parametrize(
    "where", ["deploy/systemd/cupadmin-web.service", "deploy/container/Containerfile"]
)
def test_the_web_server_has_the_options_of_run(where):
    words = set(re.findall(r"[\w./-]+", (ROOT / where).read_text()))
    options = web_command("cupadmin.wsgi", "127.0.0.1", 8000)[4:]
    assert "--no-control-socket" in options
    assert [one for one in options if one not in words and ":" not in one] == []
