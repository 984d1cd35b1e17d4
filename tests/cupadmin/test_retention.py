"""Nothing grows without a bound that docs/operations.md names."""

import re

import pytest
from django.apps import apps
from django.conf import settings

ROOMS = {path.parent.name for path in settings.BASE_DIR.glob("*/apps.py")}
OPERATIONS = (settings.BASE_DIR / "docs/operations.md").read_text()
GROWS = OPERATIONS.partition("## What grows")[2].partition("\n## ")[0]
TABLES = re.findall(r"`([a-z]+_[a-z]+)`", GROWS)


def test_each_table_has_its_bound_in_the_docs():
    ours = [m for m in apps.get_models() if m._meta.app_label in ROOMS]
    models = [model for model in ours if not model._meta.proxy]
    assert len(models) > 40
    assert sorted(TABLES) == sorted(model._meta.db_table for model in models)


@pytest.mark.parametrize("name", sorted(set(re.findall("CUPADMIN_([A-Z_]+)", GROWS))))
def test_each_setting_is_bounded_by_default(name):
    assert getattr(settings, name) > 0
