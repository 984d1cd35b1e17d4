import pytest

from directory.mask_numbers import mask_number, preview_mask


@pytest.mark.parametrize(
    ("mask", "number", "result"),
    [
        ("972813XXXX", "1234", "9728131234"),
        ("21255XXXXX", "15001", "2125515001"),
        ("+1408902XXXX", "6640", "+14089026640"),
        ("5550000", "1234", "5550000"),
        ("972813XXXXX", "1234", None),
        ("", "1234", "1234"),
    ],
)
def test_a_mask_makes_the_number(mask, number, result):
    assert mask_number(mask, number).result == result


def test_steps_tell_what_happens_to_the_digits():
    masked = mask_number("972813XXXX", "51234")
    assert masked.dropped == "5"
    assert any("5 finds no X" in step for step in masked.steps)


def test_a_number_that_is_too_short_is_counted():
    displayed = preview_mask("972813XXXXX", ["1234", "12345"])
    assert (displayed.numbers, displayed.too_short, displayed.good) == (2, 1, False)


def test_dropped_digits_can_make_two_numbers_one():
    displayed = preview_mask("972813XXXX", ["51234", "61234", "7777"])
    assert (displayed.dropped, displayed.collided) == (2, 2)
    assert displayed.collisions == [("9728131234", 2)]


def test_numbers_of_both_directions_that_are_one_are_told():
    displayed = preview_mask("+1408XXXX", ["1234"], back=["+14081234", None])
    assert (displayed.crossed, displayed.across) == (1, ["+14081234"])


def test_an_e164_number_under_a_mask_is_told():
    assert preview_mask("+1408902XXXX", ["+14089026640"]).already_e164 == 1


def test_a_mask_that_fits_all_is_good():
    assert preview_mask("+1408902XXXX", ["6640", "6641"]).good
