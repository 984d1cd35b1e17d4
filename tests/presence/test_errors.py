from pathlib import Path

import pytest

from presence import EXPLANATIONS, PresenceCode, PresenceError

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "presence-proof.md"


@pytest.mark.parametrize("code", PresenceCode)
def test_every_code_is_explained_and_documented(code):
    error = PresenceError(code, node="cup1-pub")
    assert error.message and error.remedy
    assert "{" not in error.message
    assert error.remedy == EXPLANATIONS[code].remedy
    assert f"`{code}`" in DOCS.read_text()
