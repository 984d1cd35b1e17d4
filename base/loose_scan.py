"""The different values of an indexed column, without reading the whole index."""

from typing import Any

from django.db import connection, models


def values_in(model: type[models.Model], name: str) -> list[Any]:
    """Give each value of a column once, in order; the column begins an index.

    SELECT DISTINCT reads the entries of all rows. Here each step looks into the index
    for the next larger value, so that the work is that of the values there are.
    """
    quote = connection.ops.quote_name
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    table, column = quote(model._meta.db_table), quote(columns[name] or name)
    smallest = f"SELECT min({column}) FROM {table}"  # noqa: S608
    larger = f"{smallest} WHERE {column} > found.value"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found(value) AS ({smallest} UNION ALL "  # noqa: S608
            f"SELECT ({larger}) FROM found WHERE found.value IS NOT NULL) "
            "SELECT value FROM found WHERE value IS NOT NULL"
        )
        return [value for (value,) in cursor.fetchall()]
