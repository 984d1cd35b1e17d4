"""SQL only from named templates, with literals that cannot be broken out of."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wire.errors import Code, WireError
from wire.platforms import MOST_ROWS, Profile, common_sql
from wire.secret import Secret

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_FIELD = re.compile(r"\{(\w+)(?::(\w+))?\}")
# Control characters, line separators, surrogates and what XML cannot carry.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_LIKE_SPECIAL = re.compile(r"([%_\\])")
MAX_LITERAL = 255

Literal = str | int | Secret


@dataclass(frozen=True)
class Query:
    """A statement made by the functions of this module, nowhere else.

    Args:
        order_by: a unique order, which allows reading in pages; empty for none.
        large: takes its turn with the other large queries to the publisher.
        most: the most rows that can be meant; more is a broken answer.
    """

    name: str
    text: str = field(repr=False)
    order_by: str = ""
    large: bool = False
    most: int = MOST_ROWS
    secrets: tuple[Secret, ...] = field(default=(), repr=False)

    @property
    def whole(self) -> str:
        return f"{self.text} order by {self.order_by}" if self.order_by else self.text

    def page(self, skip: int, first: int) -> str:
        """Give the text for a part of the rows."""
        head, _, rest = self.text.partition(" ")
        return f"{head} skip {skip:d} first {first:d} {rest} order by {self.order_by}"


def build_query(name: str, profile: Profile | None = None, **values: Literal) -> Query:
    """Fill the template of a name, as the platform words it.

    Raises:
        KeyError: no such template, or a value is missing.
        WireError: VALUE, when a value cannot be a literal or identifier.
    """
    template = (profile.sql if profile else common_sql())[name]
    text = _FIELD.sub(lambda match: _render(match[2], values[match[1]]), template.text)
    return Query(
        name,
        text,
        template.order_by,
        template.large,
        template.most,
        _secrets(values),
    )


Values = Mapping[str, Literal]


def select_query(
    name: str, table: str, columns: Sequence[str], *expressions: str, order_by: str
) -> Query:
    """Compose a read of columns, and of expressions that the code itself gives."""
    expressions_of = ", ".join([*map(sql_identifier, columns), *expressions])
    text = " ".join(("select", expressions_of, "from", sql_identifier(table)))
    return Query(name, text, order_by=sql_identifier(order_by))


def count_query(name: str, table: str, where: Values) -> Query:
    text = " ".join(
        ("select count(*) from", sql_identifier(table), "where", _all_of(where))
    )
    return Query(name, text, most=1, secrets=_secrets(where))


def tally_query(
    name: str,
    table: str,
    among: Mapping[str, Sequence[str]] | None = None,
    where: Values | None = None,
    like: Mapping[str, str] | None = None,
) -> Query:
    """Count rows.

    Args:
        among: columns and the texts, in any case, of which they hold one.
        where: columns and what they hold exactly.
        like: columns and the LIKE pattern, given by the code, that they match.
    """
    conditions = [_is_among(column, texts) for column, texts in (among or {}).items()]
    conditions += _pairs(where or {})
    conditions += [
        f"{sql_identifier(x)} like {sql_literal(y)}" for x, y in (like or {}).items()
    ]
    words = ["select count(*) from", sql_identifier(table)]
    if conditions:
        words += ["where", " and ".join(conditions)]
    return Query(name, " ".join(words), most=1)


def _is_among(column: str, texts: Sequence[str]) -> str:
    literals = ", ".join(sql_literal(text.lower()) for text in texts)
    return f"lower({sql_identifier(column)}) in ({literals})"


def insert_query(name: str, table: str, values: Values) -> Query:
    columns = ", ".join(map(sql_identifier, values))
    literals = ", ".join(map(_literal, values.values()))
    into = f"{sql_identifier(table)} ({columns})"
    text = " ".join(("insert into", into, "values", f"({literals})"))
    return Query(name, text, secrets=_secrets(values))


def update_query(name: str, table: str, values: Values, where: Values) -> Query:
    changes = ", ".join(_pairs(values))
    words = ("update", sql_identifier(table), "set", changes, "where", _all_of(where))
    return Query(name, " ".join(words), secrets=_secrets(values))


def delete_query(name: str, table: str, where: Values) -> Query:
    words = ("delete from", sql_identifier(table), "where", _all_of(where))
    return Query(name, " ".join(words), secrets=_secrets(where))


def _pairs(values: Values) -> list[str]:
    return [f"{sql_identifier(name)} = {_literal(x)}" for name, x in values.items()]


def _all_of(where: Values) -> str:
    return " and ".join(_pairs(where))


def _secrets(values: Values) -> tuple[Secret, ...]:
    return tuple(value for value in values.values() if isinstance(value, Secret))


def _render(kind: str | None, value: Literal) -> str:
    if kind == "id":
        return sql_identifier(str(value))
    if kind == "like":
        return sql_literal(f"%{like_pattern(str(value))}%")
    return _literal(value)


def _literal(value: Literal) -> str:
    if isinstance(value, int):
        return str(int(value))
    return sql_literal(value.reveal() if isinstance(value, Secret) else value)


def sql_literal(value: str) -> str:
    """Quote a text so that it is exactly one literal, or refuse it."""
    if len(value) > MAX_LITERAL:
        raise WireError(Code.VALUE, "A value is longer than 255 characters.")
    if _FORBIDDEN.search(value):
        raise WireError(Code.VALUE, "A value contains control characters.")
    return "'" + value.replace("'", "''") + "'"


def like_pattern(value: str) -> str:
    """Escape the wild cards of a LIKE pattern."""
    return _LIKE_SPECIAL.sub(r"\\\1", value)


def is_identifier(name: str) -> bool:
    return bool(_IDENTIFIER.fullmatch(name))


def sql_identifier(name: str) -> str:
    """Accept a table or column name, nothing else."""
    if not is_identifier(name):
        raise WireError(Code.VALUE, "A table or column name is not valid.")
    return name
