import pytest
import yaml

from base import strict_yaml
from base.strict_yaml import read_yaml


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
    ("text", "sentence"),
    [
        ("a: 1\na: 2", "Line 2: a is there twice."),
        ("a: &x [1]\nb: *x", "Line 1: Anchors"),
        ("a:\n  <<: *x", "Line 2: Anchors"),
        ("a: !!python/object:os.system x", "Line 1: Tags"),
        ("a: !!int 5", "Line 1: Tags"),
        ("? [a]\n: b", "Line 1: A key must be a text."),
        ("a: [1", "Line 1: "),
        ("a: '\x00'", "not YAML"),
        ("[" * 3_000, "More than 20 levels"),
        ("a: 1\n---\nb: 2", "Line 2: "),
        ("a" * 1_100_000, "larger than 1 MiB"),
    ],
)
def test_what_surprises_is_refused_with_its_line(text, sentence):
    with pytest.raises(ValueError, match="^Line|^This|^The") as error:
        read_yaml(text)
    assert sentence in str(error.value)


def test_a_caller_may_take_a_larger_one_and_learns_its_lines():
    text = "a:\n" + "  - x\n" * 300_000
    with pytest.raises(ValueError, match="larger than 1 MiB"):
        read_yaml(text)
    with pytest.raises(ValueError, match="larger than 2 MiB"):
        strict_yaml.read_with_nodes(text + "#" * 1_000_000, 2 << 20)
    document, root = strict_yaml.read_with_nodes("a:\n  - x\n  - y\n", 2 << 20)
    assert document == {"a": ["x", "y"]}
    assert [node.start_mark.line for node in root.value[0][1].value] == [1, 2]
