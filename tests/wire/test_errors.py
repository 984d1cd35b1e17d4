import json
import pickle
from pathlib import Path

import pytest

from wire import EXPLANATIONS, Code, Secret, WireError
from wire.soap_faults import TooLarge

DOCUMENT = Path("docs/errors.md")


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_sentence_and_a_remedy(code):
    error = WireError(code, node="cup1")
    assert error.message.endswith(".")
    assert error.remedy.endswith(".")
    assert error.remedy == EXPLANATIONS[code].remedy


@pytest.mark.parametrize("code", Code)
def test_every_code_is_documented(code):
    assert f"## `{code}`" in DOCUMENT.read_text()


def test_error_says_its_message():
    error = WireError(Code.REFUSED, node="cup1")
    assert str(error) == error.message
    assert error.message.startswith("cup1 ")


def test_error_is_cut_and_cleaned():
    error = WireError(Code.FAULT, "a\x00\n" * 10_000, detail="b" * 10_000)
    assert len(error.message) == 500
    assert len(error.detail) == 200
    assert error.message.isprintable()


@pytest.mark.parametrize(
    "error",
    [
        WireError(Code.TIMEOUT, node="cup1", detail="d", outcome_unknown=True),
        TooLarge("cup1", 2816, 844),
    ],
)
def test_error_survives_pickling(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert copy.__dict__ == error.__dict__
    assert str(copy) == str(error)


def test_secret_shows_nothing():
    secret = Secret("open sesame")
    assert f"{secret} {secret!r}" == "*** ***"
    assert secret.reveal() == "open sesame"


def test_secret_is_compared_by_value():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_secret_is_neither_pickled_nor_json():
    with pytest.raises(TypeError):
        pickle.dumps(Secret("a"))
    with pytest.raises(TypeError):
        json.dumps({"password": Secret("a")})
