import pytest

from directory.hashing import hash_of, hashes_of

MASK = 2**64 - 1


def spread(word):
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & MASK
    word = (word ^ word >> 27) * 0x94D049BB133111EB & MASK
    return word ^ word >> 31


def plainly(value):
    """The hash as stored snapshots hold it, without numpy."""
    text = value.lower().encode()
    words = [text[at : at + 8] for at in range(0, len(text), 8)]
    numbers = [int.from_bytes(word, "little") for word in words]
    return spread(sum(spread(n ^ spread(p + 1)) for p, n in enumerate(numbers)) & MASK)


VALUES = ["bob", "Ünïcödé ß", "exactly8", "ninechars", "x" * 255, "🦜", "İ", "ΟΔΟΣ"]


@pytest.mark.parametrize("value", VALUES)
def test_a_hash_stays_what_stored_snapshots_hold(value):
    assert hash_of(value) == plainly(value)


def test_a_hash_does_not_depend_on_the_values_beside_it():
    assert hashes_of(VALUES).tolist() == [hash_of(value) for value in VALUES]


def test_the_case_does_not_matter():
    assert hash_of("Bob.ÖBERG") == hash_of("bob.öberg")


def test_empty_and_blank_values_have_no_hash():
    assert hashes_of(["", "  \t", "a", ""]).tolist() == [0, 0, hash_of("a"), 0]


def test_nothing_has_no_hashes():
    assert len(hashes_of([])) == 0
