"""docs/troubleshooter.md: the table of all tests, made from the tests themselves."""

from collections.abc import Iterator
from itertools import groupby

from diagnostics.judge.sections import TESTS, ordered_tests
from diagnostics.judge.sources import Source
from diagnostics.judge.tests import Test

BEGIN, END = "<!-- tests: begin -->", "<!-- tests: end -->"
HEADER = (
    "| Test | Asks | Not passed means | Remedy | Source |",
    "|---|---|---|---|---|",
)


def test_table() -> str:
    """Return the sections with a row for each test, and what they rest on."""
    return "\n".join(table_lines())


def table_lines() -> Iterator[str]:
    yield f"{len(TESTS)} tests."
    for section, tests in groupby(ordered_tests(), key=lambda test: test.section):
        yield f"\n### {section}\n"
        yield from HEADER
        yield from map(test_row, tests)
    yield "\n### Sources\n"
    yield from map(source_line, Source)


def test_row(test: Test) -> str:
    meaning = " ".join(
        f"*{outcome.capitalize()}*: {text}" for outcome, text in test.meaning.items()
    )
    cells = (
        f"`{test.code}` (per {test.scope}) {test.description}",
        test.asks,
        meaning,
        test.remedy,
        ", ".join(map(source_link, test.sources)),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def source_link(source: Source) -> str:
    return f"[{source.label}](#sources)"


def source_line(source: Source) -> str:
    title = f"[{source.title}]({source.url})" if source.url else source.title
    return f"- *{source.label}*: {title}"


def insert_table(text: str) -> str:
    """Return a document with its table as the code has it now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{test_table()}\n{END}{after}"
