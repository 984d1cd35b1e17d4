from pathlib import Path

import pytest

from bench.__main__ import LONG, MEASURES, chosen


def test_every_module_that_measures_is_run():
    main = '__name__ == "__main__"'
    runnable = {x.stem for x in Path("bench").glob("*.py") if main in x.read_text()}
    assert runnable - {"__main__", "server", "publisher"} == {
        x.split()[0] for x in (*MEASURES, *LONG)
    }


def test_measures_are_chosen_by_name():
    assert chosen(["sweep", "rows"]) == ["sweep", "rows"]
    assert chosen(["year"]) == ["year"]
    assert "year" not in chosen([])
    assert chosen(["diagnostics"]) == ["diagnostics judge", "diagnostics collect"]
    with pytest.raises(SystemExit, match="unknown: server"):
        chosen(["server"])
