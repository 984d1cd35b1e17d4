import pytest
import yaml

from base import strict_yaml
from base.strict_yaml import read_yaml
from base.unreadable import Unreadable


@pytest.fixture(autouse=True, params=["of libyaml", "of Python"])
def parser(request, monkeypatch):
    if request.param == "of Python":
        monkeypatch.setattr(strict_yaml, "Parser", yaml.SafeLoader)


def test_every_value_is_a_text():
    text = "a: no\nb: 0123\nc: 12:30:45\nd: 1.5\ne: null\nf: 2020-01-01\ng: [yes]"
    assert read_yaml(text) == {
        "a": "no",
        "b": "0123",
        "c": "12:30:45",
        "d": "1.5",
        "e": "null",
        "f": "2020-01-01",
        "g": ["yes"],
    }


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("a: 1\na: 2", "twice", "Line 2: a "),
        (f"a: 1\n{'b' * 999}: 2\n{'b' * 999}: 2", "twice", "Line 3: b"),
        ("a: &x [1]\nb: *x", "anchors", "Line 1: "),
        ("a:\n  <<: *x", "anchors", "Line 2: "),
        ("a: !!python/object:os.system x", "tags", "Line 1: "),
        ("a: !!int 5", "tags", "Line 1: "),
        ("? [a]\n: b", "not_a_text", "Line 1: "),
        ("a: [1", "syntax", "Line 1: "),
        ("a: '\x00'", "syntax", "YAML"),
        ("[" * 3_000, "levels", "20"),
        ("a: 1\n---\nb: 2", "syntax", "Line 2: "),
        ("a" * 1_100_000, "too_large", "1 MiB"),
    ],
)
def test_what_surprises_is_refused_with_its_line(text, code, named):
    with pytest.raises(Unreadable) as caught:
        read_yaml(text)
    assert caught.value.code == code
    assert named in str(caught.value) and len(str(caught.value)) < 300


def test_a_caller_may_take_a_larger_one_and_learns_its_lines():
    text = "a:\n" + "  - x\n" * 300_000
    with pytest.raises(Unreadable, match="1 MiB"):
        read_yaml(text)
    with pytest.raises(Unreadable, match="2 MiB"):
        strict_yaml.read_with_nodes(text + "#" * 1_000_000, 2 << 20)
    document, root = strict_yaml.read_with_nodes("a:\n  - x\n  - y\n", 2 << 20)
    assert document == {"a": ["x", "y"]}
    assert [node.start_mark.line for node in root.value[0][1].value] == [1, 2]
