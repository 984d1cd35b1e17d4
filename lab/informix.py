"""The dialect of the clusters' database: Informix SQL, carried out by SQLite.

What Informix would not understand is refused here even though SQLite would take it,
so that a client learns of its mistake in the lab.
"""

import re
import sqlite3
import uuid
from dataclasses import dataclass, field
from functools import lru_cache

TOKEN = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\{[^}]*\}|/\*.*?\*/"""
    r"""|[A-Za-z_]\w*|\d+(?:\.\d+)?|\s+|<>|<=|>=|!=|\|\||==|.""",
    re.S,
)
FUNCTIONS = {
    "count",
    "sum",
    "max",
    "min",
    "avg",
    "lower",
    "upper",
    "trim",
    "length",
    "char_length",
    "substr",
    "substring",
    "nvl",
    "abs",
    "round",
    "mod",
    "replace",
    "newid",
    "concat",
    "cast",
    "coalesce",
}
BEFORE_PARENTHESIS = {
    "in",
    "and",
    "or",
    "not",
    "on",
    "where",
    "values",
    "exists",
    "select",
    "as",
    "having",
    "by",
    "when",
    "then",
    "else",
    "like",
    "between",
    "from",
    "join",
    "all",
    "any",
    "some",
    "set",
    "distinct",
    "unique",
    "matches",
    "union",
    "is",
    "case",
}
FOREIGN = {
    "limit",
    "offset",
    "glob",
    "regexp",
    "pragma",
    "attach",
    "detach",
    "returning",
    "vacuum",
    "reindex",
    "explain",
    "ilike",
    "isnull",
    "notnull",
}
AGGREGATES = ("count", "sum", "max", "min", "avg")


class InformixError(Exception):
    """An error with Informix's number and words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def syntax_error() -> InformixError:
    return InformixError(-201, "A syntax error has occurred.")


def table_not_found(name: str) -> InformixError:
    text = f"The specified table ({name}) is not in the database."
    return InformixError(-206, text)


@dataclass
class Select:
    """Where a SELECT stands, and what its SKIP and FIRST ask for."""

    depth: int
    skip: str = ""
    first: str = ""

    def tail(self) -> str:
        if not self.skip and not self.first:
            return ""
        return f" LIMIT {self.first or -1} OFFSET {self.skip or 0} "


@dataclass
class Translation:
    """Walks the words of one statement and writes them for SQLite."""

    words: list[str]
    at: int = 0
    depth: int = 0
    out: list[str] = field(default_factory=list)
    selects: list[Select] = field(default_factory=list)

    def run(self) -> str:
        while self.at < len(self.words):
            word = self.words[self.at]
            self.at += 1
            self._word(word)
        if self.depth:
            raise syntax_error()
        self._close(0)
        return " ".join(self.out)

    def _peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.words[place].lower() if place < len(self.words) else ""

    def _word(self, word: str) -> None:
        low = word.lower()
        if word[0] in "'\"":
            self._string(word)
        elif word == "(":
            self.depth += 1
            self.out.append(word)
        elif word == ")":
            self._close(self.depth)
            self.depth -= 1
            self.out.append(word)
        elif low == "select":
            self._select()
        elif word[0].isalpha() or word[0] == "_":
            self._identifier(word, low)
        elif word in ("==", ";", "`", "[", "]", "?", ":", "@", "$", "#"):
            raise syntax_error()
        else:
            self.out.append(word)

    def _string(self, word: str) -> None:
        if len(word) < 2 or word[-1] != word[0]:
            raise InformixError(
                -282, "Found a quote for which there is no matching quote."
            )
        if word[0] == '"' and self._peek() == ".":
            self.at += 1
            return
        text = word[1:-1].replace(word[0] * 2, word[0])
        self.out.append("'" + text.replace("'", "''") + "'")

    def _select(self) -> None:
        select = Select(self.depth)
        self.out.append("SELECT")
        while self._peek() in ("skip", "first") and self._peek(1).isdigit():
            setattr(select, self._peek(), self._peek(1))
            self.at += 2
        if self._peek() == "unique":
            self.at += 1
            self.out.append("DISTINCT")
        self.selects.append(select)

    def _close(self, depth: int) -> None:
        while self.selects and self.selects[-1].depth == depth:
            self.out.append(self.selects.pop().tail())

    def _identifier(self, word: str, low: str) -> None:
        if low in FOREIGN:
            raise syntax_error()
        if low.startswith(("lab_", "sqlite_")):
            raise table_not_found(low)
        if low == "informix" and self._peek() == ".":
            self.at += 1
            return
        if self._peek() == "(" and not self._may_precede_parenthesis(low):
            raise InformixError(-674, f"Routine ({low}) can not be resolved.")
        self.out.append("GLOB" if low == "matches" else word)

    def _may_precede_parenthesis(self, low: str) -> bool:
        if low in FUNCTIONS or low in BEFORE_PARENTHESIS:
            return True
        return bool(self.out) and self.out[-1].lower() == "into"


@lru_cache(512)
def translate_sql(text: str, verbs: tuple[str, ...]) -> str:
    """Return SQLite's form of an Informix statement that begins with one of `verbs`."""
    words = [word for word in TOKEN.findall(text) if not _is_blank(word)]
    while words and words[-1] == ";":
        words.pop()
    if not words or words[0].lower() not in verbs:
        raise syntax_error()
    if words[0].lower() == "select" and "from" not in (w.lower() for w in words):
        raise syntax_error()
    return Translation(words).run()


def _is_blank(word: str) -> bool:
    return not word.strip() or word.startswith(("--", "/*", "{"))


PATTERNS = (
    (r"no such table: (?:main\.)?(\S+)", -206, None),
    (
        r"no such column: (?:\w+\.)?(\S+)",
        -217,
        "Column ({0}) not found in any table in the query (or SLV is undefined).",
    ),
    (
        r"has no column named (\S+)",
        -217,
        "Column ({0}) not found in any table in the query (or SLV is undefined).",
    ),
    (
        r"UNIQUE constraint failed: (\S+)",
        -239,
        "Could not insert new row - duplicate value in a UNIQUE INDEX column "
        "(Unique Index:{0}).",
    ),
    (
        r"(FOREIGN KEY) constraint failed",
        -691,
        "Missing key in referenced table for referential constraint.",
    ),
    (
        r"NOT NULL constraint failed: \w+\.(\S+)",
        -391,
        "Cannot insert a null into column ({0}).",
    ),
    (r"ambiguous column name: (\S+)", -324, "Ambiguous column ({0})."),
)


def explain_error(error: sqlite3.Error) -> InformixError:
    """Return the Informix error for what SQLite said."""
    for pattern, code, words in PATTERNS:
        if found := re.search(pattern, str(error)):
            name = found[1]
            if words is None:
                return table_not_found(name)
            return InformixError(code, words.format(name))
    return syntax_error()


def column_name(description: str) -> str:
    """Return the name under which AXL shows a column: `count` for count(*)."""
    if re.fullmatch(r"\w+", description):
        return description.lower()
    head = re.match(r"\w+", description)
    if head and head[0].lower() in AGGREGATES:
        return head[0].lower()
    return "expression"


def install_functions(connection: sqlite3.Connection) -> None:
    """Give SQLite the functions and manners of Informix."""
    connection.execute("PRAGMA case_sensitive_like = ON")
    connection.create_function("nvl", 2, lambda a, b: b if a is None else a)
    connection.create_function("newid", 0, lambda: str(uuid.uuid4()))
    connection.create_function("mod", 2, lambda a, b: a % b if b else None)
    connection.create_function("concat", 2, lambda a, b: f"{a or ''}{b or ''}")
    connection.create_function("char_length", 1, lambda a: len(a or ""))
