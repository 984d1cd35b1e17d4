import random

import pytest

from bench import replies
from bench.mutants import LOST, OPERATIONS, lost_rows, mutant, torture
from wire import Code, run_loop


def test_no_mutant_escapes_as_anything_but_our_error():
    ends, _ = run_loop(torture(1_500, seed=7))
    assert ends.pop(LOST) == 0
    assert set(ends) <= {"understood", *Code}


def test_mutants_reach_every_end():
    ends, _ = run_loop(torture(500, seed=3))
    assert ends["understood"] > 20
    assert ends["not_soap"] > 20


def test_a_mutant_is_seldom_the_reply_itself():
    chance = random.Random(1)
    _, _, body, status = OPERATIONS[1]
    made = {mutant(body, status, chance).data for _ in range(200)}
    assert len(made) > 150


@pytest.mark.parametrize(
    ("content", "found", "lost"),
    [
        ("<row><a>R&D</a></row><row/>", 2, 0),
        ("<row><a>&#55357;&lt </a></row><row/>", 1, 1),
        ("<row/><!-- <row/> -->", 1, 0),
        ("<row/><row>", 2, 2),
    ],
)
def test_lost_rows_are_counted(content, found, lost):
    assert lost_rows("rows", replies.query_reply(content), found) == lost
