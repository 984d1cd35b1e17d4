"""The name of a kind of job stands in its own file, and nowhere else."""

import ast
import re
from inspect import getfile
from pathlib import Path

from django.apps import apps
from django.conf import settings

from jobs.kind import kind_choices, kind_named, withdrawn_kinds

# Addresses and the names of scheduled tasks are words of their own.
APART = {"urls.py", "schedule.py"}
ROOMS = [config.label for config in apps.get_app_configs()]


def strings_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    decorators = {
        word
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for one in node.decorator_list
        for word in re.findall(r"'([\w-]+)'", ast.unparse(one))
    }
    return {one.value for one in constants if isinstance(one.value, str)} - decorators


def test_no_other_file_knows_a_kind_by_its_name():
    kinds = {name: kind_named(name) for name, _ in kind_choices()}
    hyphened = {name for name in kinds if "-" in name}
    own = {getfile(kind) for kind in kinds.values()}
    found = [
        f"{path.relative_to(settings.BASE_DIR)}: {name}"
        for room in ROOMS
        for path in (settings.BASE_DIR / room).rglob("*.py")
        if path.name not in APART and "migrations" not in path.parts
        if str(path) not in own
        for name in strings_of(path) & hyphened
    ]
    assert len(hyphened) > 15
    assert found == []


def test_an_edit_withdraws_what_would_write_or_ask_for_the_row():
    assert set(withdrawn_kinds()) == {
        "discover-cluster",
        "provision-peer",
        "remove-peer",
        "test-cluster",
    }
