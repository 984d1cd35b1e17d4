"""Reading YAML that people wrote: every value a text, and nothing that surprises.

No aliases, no tags, no key twice, no guessed types; 1 MiB and 20 levels at most, if the
caller does not say more.
"""

from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from base.unreadable import Unreadable

# That of libyaml, where PyYAML has it, takes a fifth of the time.
Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

LARGEST = 1024 * 1024
DEEPEST = 20


class Loader(Composer, SafeConstructor, Resolver):
    """Plain values stay texts: `no` is a country and 0123 a number to dial."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    depth = 0

    def __init__(self, text: str) -> None:
        parser = Parser(text)
        self.peek_event = parser.peek_event
        self.get_event = parser.get_event
        self.check_event = parser.check_event
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml_error(
                event.start_mark, "Anchors and aliases are not allowed.", "anchors"
            )
        if "\0" in (getattr(event, "value", None) or ""):
            raise yaml_error(event.start_mark, "A NUL character.", "nul")
        if getattr(event, "tag", None):
            raise yaml_error(event.start_mark, "Tags are not allowed.", "tags")
        self.depth += 1
        if self.depth > DEEPEST:
            raise yaml_error(event.start_mark, f"More than {DEEPEST} levels.", "levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml_error(key.start_mark, "A key must be a text.", "not_a_text")
            if key.value in seen:
                raise yaml_error(
                    key.start_mark, f"{key.value[:100]} is there twice.", "twice"
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def yaml_error(mark: Any, sentence: str, code: str) -> Unreadable:
    return Unreadable(f"Line {mark.line + 1}: {sentence}", code)


def read_yaml(text: str) -> Any:
    """Return the document as dicts, lists and texts.

    Raises:
        base.unreadable.Unreadable: it is not allowed, with the line.
    """
    return read_with_nodes(text)[0]


def read_with_nodes(text: str, largest: int = LARGEST) -> tuple[Any, yaml.Node | None]:
    """Return the document, and its nodes, which know their lines; else as `read_yaml`.

    Args:
        largest: of how many bytes it may be, in whole MiB.
    """
    if len(text.encode()) > largest:
        raise Unreadable(f"The file is larger than {largest >> 20} MiB.", "too_large")
    try:
        loader = Loader(text)
        root = loader.get_single_node()
        return (loader.construct_document(root) if root else None), root
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        # libyaml takes the end of the text for one line more.
        line = min(mark.line, text.count("\n")) + 1
        raise Unreadable(
            f"Line {line}: {(error.problem or 'not YAML')[:200]}.", "syntax"
        ) from None
    except yaml.YAMLError as error:
        raise Unreadable(f"This is not YAML: {str(error)[:200]}", "syntax") from None
