"""Reading YAML that people wrote: every value a text, and nothing that surprises.

No aliases, no tags, no key twice, no guessed types; 1 MiB and 20 levels at most.
"""

from typing import Any

import yaml

LARGEST = 1024 * 1024
DEEPEST = 20


class Loader(yaml.SafeLoader):
    """Plain values stay texts: `no` is a country and 0123 a number to dial."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise refused(event.start_mark, "Anchors and aliases are not allowed.")
        if getattr(event, "tag", None):
            raise refused(event.start_mark, "Tags are not allowed.")
        self.depth += 1
        if self.depth > DEEPEST:
            raise refused(event.start_mark, f"More than {DEEPEST} levels.")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise refused(key.start_mark, "A key must be a text.")
            if key.value in seen:
                raise refused(key.start_mark, f"{key.value} is there twice.")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def refused(mark: Any, sentence: str) -> ValueError:
    return ValueError(f"Line {mark.line + 1}: {sentence}")


def read_yaml(text: str) -> Any:
    """Return the document as dicts, lists and texts.

    Raises:
        ValueError: it is not allowed, with the line and a sentence for a person.
    """
    if len(text.encode()) > LARGEST:
        raise ValueError("The file is larger than 1 MiB.")
    try:
        return yaml.load(text, Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise refused(mark, f"{error.problem or 'not YAML'}.") from None
    except yaml.YAMLError as error:
        raise ValueError(f"This is not YAML: {str(error)[:200]}") from None
