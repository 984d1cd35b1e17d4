"""Rows of clusters, nodes and peers have one writer each.

An approximation by reading the source, without types. A receiver is a row of a model,
or a query over such rows, when

* its chain begins at a manager of the model, as in `Node.objects.filter(...)`, or
  passes a related manager, as in `cluster.nodes.all()`;
* it is a variable that the same function was given with the model as its annotation,
  or that it took from such a chain or from the constructor;
* it has a name that is only used for such rows, as `cluster` or `edit.peer`.

`save_edit` belongs to these three models alone. What is observed may be stored from
everywhere, by the named methods of the models.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEFT_OUT = {"tests", "migrations", "bench", "lab", "clients", "docs"}
WRITERS = {
    "Cluster": {"clusters/editing.py", "clusters/models/clusters.py"},
    "Node": {"clusters/editing.py", "clusters/models/nodes.py"},
    "Peer": {"peers/lifecycle.py", "peers/models/peers.py"},
}
ANY = {place for places in WRITERS.values() for place in places}
NAMES = {
    "cluster": "Cluster",
    "node": "Node",
    "publisher": "Node",
    "peer": "Peer",
    "matching": "Peer",
}
RELATED = {"nodes": "Node", "peers": "Peer", "pointing_peers": "Peer"}
MANAGERS = {"objects", "_base_manager", "_default_manager"}
STATES = {"provisioning_state", "applied_address"}
WRITES = {
    *("save", "save_edit", "delete", "create", "update"),
    *("bulk_create", "bulk_update", "get_or_create", "update_or_create"),
}
# Each with its reason: place and receiver.
ALLOWED: set[str] = set()


def modules() -> Iterator[Path]:
    for path in sorted(ROOT.glob("*/**/*.py")):
        parts = path.relative_to(ROOT).parts
        if LEFT_OUT.isdisjoint(parts) and not parts[0].startswith("."):
            yield path


def model_of(node: ast.AST, known: dict[str, str]) -> str:
    """The model of a receiver, or an empty string."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in WRITERS:
            return node.func.id
        return model_of(node.func, known)
    if isinstance(node, ast.Name):
        return known.get(node.id) or NAMES.get(node.id, "")
    if isinstance(node, ast.Attribute):
        if node.attr in MANAGERS:
            return node.value.id if is_model(node.value) else ""
        # Rows of another model may hang on a row: `peer.checks.all()`.
        if node.attr in RELATED or node.attr in NAMES:
            return RELATED.get(node.attr) or NAMES[node.attr]
        of_rows = isinstance(node.value, ast.Call) or is_query(node.value, known)
        return model_of(node.value, known) if of_rows else ""
    return ""


def is_model(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in WRITERS


def is_query(node: ast.AST, known: dict[str, str]) -> bool:
    """Whether an attribute of this is a method of a query, not another relation."""
    if isinstance(node, ast.Attribute):
        return node.attr in MANAGERS or node.attr in RELATED
    return isinstance(node, ast.Name) and node.id in known


def known_in(function: ast.AST) -> dict[str, str]:
    """Variables of a function that hold rows or queries of a model."""
    found: dict[str, str] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.arg) and node.annotation is not None:
            sentence = ast.unparse(node.annotation).strip("\"'").removesuffix(" | None")
            if sentence in WRITERS:
                found[node.arg] = sentence
        if isinstance(node, ast.Assign | ast.For | ast.NamedExpr):
            source = node.iter if isinstance(node, ast.For) else node.value
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            model = model_of(source, found)
            for target in targets:
                if model and isinstance(target, ast.Name):
                    found[target.id] = model
    return found


def findings_in(tree: ast.AST, place: str) -> set[str]:
    found = set()
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    for scope in [tree, *functions]:
        known = {} if scope is tree else known_in(scope)
        for node in ast.walk(scope):
            for model, sentence in writes_at(node, known):
                if place not in WRITERS.get(model, ANY):
                    found.add(f"{place}: {sentence}")
    return found - ALLOWED


def writes_at(node: ast.AST, known: dict[str, str]) -> Iterator[tuple[str, str]]:
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and node.attr in STATES
    ):
        yield "Peer", ast.unparse(node)
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Attribute):
        yield from calls_at(node.func, known)
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    given = {keyword.arg for keyword in node.keywords} & STATES
    if given and name in {"Peer", *WRITES}:
        yield "Peer", f"{name}({', '.join(sorted(given))})"


def calls_at(func: ast.Attribute, known: dict[str, str]) -> Iterator[tuple[str, str]]:
    model = model_of(func.value, known)
    if func.attr == "save_edit" or model and func.attr in {*WRITES, "seal"}:
        yield model, ast.unparse(func)


def test_rows_have_one_writer() -> None:
    found = set()
    for path in modules():
        place = path.relative_to(ROOT).as_posix()
        found |= findings_in(ast.parse(path.read_text()), place)
    assert sorted(found) == []


@pytest.mark.parametrize(
    "source",
    [
        "peer.provisioning_state = state",
        "def f(row):\n    row.applied_address = ''",
        "rows.update(provisioning_state=state)",
        "Peer(applied_address=address)",
        "Peer.objects.filter(pk=1).update(drift={})",
        "Node.objects.create(name=name)",
        "Cluster._base_manager.all().delete()",
        "cluster.nodes.filter(name=name).delete()",
        "cluster.seal('axl_password', plain)",
        "edit.peer.seal('password', plain)",
        "edit.peer.save()",
        "row.save_edit('name')",
        "def f(row: Cluster):\n    row.delete()",
        "def f():\n    row = Node(name=name)\n    row.save()",
        "def f():\n    rows = Peer.objects.all()\n    few = rows[:1]\n"
        "    late = rows.exclude(pk=1)\n    late.update(drift={})",
        "def f():\n    for one in Node.objects.all():\n        one.delete()",
    ],
)
def test_other_writers_are_found(source: str) -> None:
    assert findings_in(ast.parse(source), "mesh/views.py")


@pytest.mark.parametrize(
    "source",
    [
        "Peer.objects.filter(pk=1).mark_failed()",
        "cluster.snapshots.exclude(pk__in=newest).delete()",
        "entry.seal('password', plain)",
        "Job.objects.filter(pk=1).update(doing=text)",
        "seen = peer.provisioning_state",
        "Peer.objects.filter(provisioning_state=state)",
    ],
)
def test_what_is_no_write_is_left_alone(source: str) -> None:
    assert not findings_in(ast.parse(source), "mesh/views.py")
