import random

from bench.mutants import OPERATIONS, mutant, torture
from wire import Code, run


def test_no_mutant_escapes_as_anything_but_our_error():
    ends, _ = run(torture(1_500, seed=7))
    assert set(ends) <= {"understood", *Code}


def test_mutants_reach_every_end():
    ends, _ = run(torture(500, seed=3))
    assert ends["understood"] > 20
    assert ends["not_soap"] > 20


def test_a_mutant_is_seldom_the_reply_itself():
    chance = random.Random(1)
    _, _, body, status = OPERATIONS[1]
    made = {mutant(body, status, chance) for _ in range(200)}
    assert len(made) > 150
