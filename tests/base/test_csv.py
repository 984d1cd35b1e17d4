import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.csv import DANGEROUS, rows_as_csv, safe_cell


def read(lines):
    text = "".join(lines).removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＠x"],
)
def test_formula_becomes_text(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "cell"), [(None, ""), (5, "5"), ("a=b", "a=b"), ("", ""), (True, "True")]
)
def test_other_values_stay(value, cell):
    assert safe_cell(value) == cell


def test_file_begins_with_the_mark_that_spreadsheets_want():
    assert next(rows_as_csv(["a"], [])) == '\ufeff"a"\r\n'


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2)))
def test_every_text_is_read_back_and_no_cell_begins_a_formula(rows):
    heading, *found = read(rows_as_csv(["a", "b"], rows))
    assert found == [[safe_cell(cell) for cell in row] for row in rows]
    assert not any(
        cell.lstrip(" ").startswith(DANGEROUS) for row in found for cell in row
    )
