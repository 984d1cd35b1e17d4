from directory.moves import Moves, move_procedure
from directory.ownership import Directory
from tests.directory.conftest import of


def moved(source, before):
    directory = Directory()
    return Moves(directory, directory.listing(source.pk), before)


def test_who_moved_who_got_lost_and_who_shows_the_old_home(pair, has, cluster_factory):
    home, remote, _ = pair
    third = cluster_factory("voss")
    before = has(remote, *of(remote, "bob", "eve", "stays"), minutes=60)
    has(remote, *of(remote, "stays"))
    has(third, *of(third, "bob"))
    has(home, *of(remote, "bob", "stays"))
    moves = moved(remote, before)
    assert [(m.user.userid, m.target, m.behind) for m in moves.all()] == [
        ("eve", "", ()),
        ("bob", "voss", ("oslo",)),
    ]
    assert (moves.arrived, moves.lost, moves.behind) == ({"voss": 1}, 1, {"oslo": 1})


def test_nobody_left(pair, has):
    _, remote, _ = pair
    before = has(remote, *of(remote, "bob"), minutes=60)
    has(remote, *of(remote, "bob", "new"))
    assert len(moved(remote, before)) == 0


def test_the_procedure_depends_on_the_number_of_users():
    few, some, many = (move_procedure(n) for n in (99, 500, 5000))
    assert few[0].startswith("Leave")
    assert some[0].startswith("Stop")
    assert len(many) == len(some) + 1
