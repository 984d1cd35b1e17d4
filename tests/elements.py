"""Parts of a page, for tests that look at one place of it."""

from typing import Any

from lxml import html


def elements(answer: Any, path: str) -> Any:
    """What an XPath finds in a page: elements, or the values of attributes."""
    return html.fromstring(answer.content).xpath(path)


def texts(answer: Any, path: str) -> list[str]:
    """The text of each of these elements, with single spaces."""
    return [" ".join(one.text_content().split()) for one in elements(answer, path)]


def codes_in(answer: Any) -> list[str]:
    """The codes of the notices that a page shows, such as `no_group`."""
    return list(elements(answer, "//@data-code"))


def levels(answer: Any) -> list[str]:
    """The levels of the messages that a page shows, such as `error`."""
    return [one.level_tag for one in answer.context["messages"]]
