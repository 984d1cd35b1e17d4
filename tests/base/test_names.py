import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_THE_PRODUCT = {"site", "tests", "bench", "docs", "deploy"}

# Each says that something is done or meant, and not what: nobody finds its callers.
GENERIC = frozenset(
    re.findall(
        r"\w+",
        """
    about accept add adopt affected apply ask asked asking attest back begin behind
    below beside between call called change changed changes check checked choose chosen
    claim clean clear close collect compare confirm connect count counted create current
    cut delete describe details draft drop edit end expect filled find finish forget
    found given handle having hold holds identify instead judge judged keep kept known
    leave left link listed look make mapped mark matches matching met missing move named
    needed note notice observe one ones other others parse parsed perform plan point
    prepare preview probe prove prune put question read ready record refuse refused
    register related remember remove renew replaced report reserve resolve restore
    resume rotate run said save saved say says see selected send serve settle settled
    share show shown silent snooze some spend start stash stay stays still stop store
    stored take taken teach tell telling test that these thing things this those tidy
    told together trust turn update upload verify visit wait wanted warn watch what why
    withdraw within without work write wrong
    cell it
""",
    )
)
# The longest what, the most of what, patience with what?
BARE_LIMITS = {"LIMIT", "LONGEST", "MOST", "PATIENCE", "TIMEOUT"}
# Where the word is said elsewhere: commands of a shell, named by their function.
COMMANDS = ROOT / "clients"


def modules():
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).parts
        if parts[0] in NOT_THE_PRODUCT or parts[0].startswith("."):
            continue
        if not {"migrations", "node_modules", "static"} & set(parts):
            yield path, ast.parse(path.read_text())


def is_command(function):
    return any("command" in ast.unparse(one) for one in function.decorator_list)


def generic_functions(path, tree):
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.strip("_") in GENERIC and not (
            COMMANDS in path.parents and is_command(node)
        ):
            yield f"{path.relative_to(ROOT)}: {node.name}"


def test_functions_say_what_they_work_on():
    found = [name for path, tree in modules() for name in generic_functions(path, tree)]
    assert found == []


def test_limits_say_of_what():
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in modules()
        for name in constants(tree) & BARE_LIMITS
    ]
    assert found == []


def constants(tree):
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    return {
        name.id
        for node in assigned
        for target in node.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }


def test_no_class_name_stands_twice():
    places = defaultdict(list)
    for path, tree in modules():
        for node in tree.body:
            # Django finds the class of a command by this name.
            if isinstance(node, ast.ClassDef) and node.name != "Command":
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("name", ["find", "_look", "tell", "why"])
def test_a_generic_name_is_found(name):
    tree = ast.parse(f"def {name}() -> None: ...")
    assert list(generic_functions(ROOT / "peers/rules.py", tree))
