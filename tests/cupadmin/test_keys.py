import json
from base64 import b64encode

import pytest
from django.core.exceptions import ImproperlyConfigured

from cupadmin.keys import fresh_field_keys, parse_field_keys, read_or_create


def test_a_key_is_made_once_and_kept(tmp_path):
    path = tmp_path / "new" / "key"
    assert read_or_create(path, "first") == "first"
    assert read_or_create(path, "second") == "first"


def test_a_key_file_is_readable_by_its_owner_only(tmp_path):
    read_or_create(tmp_path / "key", "text")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_fresh_field_keys_are_usable():
    assert [len(key) for key in parse_field_keys(fresh_field_keys()).values()] == [32]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"1": 5}',
        json.dumps({"1": b64encode(b"x").decode()}),
    ],
)
def test_bad_field_keys_are_refused_with_the_variables_name(text):
    with pytest.raises(ImproperlyConfigured, match="CUPADMIN_FIELD_KEYS"):
        parse_field_keys(text)
