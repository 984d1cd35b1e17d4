import json

import pytest
from django.apps import apps
from django.db import models

from base.fields import JSONField, StorableEncoder
from peers.models import Peer
from tests.security.hostile import FROM_CLUSTERS

OURS = {model.partition(".")[0] for model in FROM_CLUSTERS} | {"accounts", "rest"}
FACE = "\U0001f600"


@pytest.mark.parametrize(
    ("given", "saved"),
    [
        ("a\0b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        ("x\udfff\udc00y", "x\ufffd\ufffdy"),
        (FACE, FACE),
        ([FACE, "\0"], [FACE, "\ufffd"]),
        ({"a\0": ("\ud800", 1, None)}, {"a\ufffd": ["\ufffd", 1, None]}),
        (r"\u0000 \ud800", r"\u0000 \ud800"),
        ({1: "\0"}, {"1": "\ufffd"}),
    ],
)
def test_what_cannot_be_stored_is_marked_and_nothing_else(given, saved):
    assert json.loads(json.dumps(given, cls=StorableEncoder)) == saved


def test_migrations_see_the_field_of_django():
    _, path, _, kwargs = JSONField(default=dict).deconstruct()
    assert path == "django.db.models.JSONField" and kwargs == {"default": dict}


def test_every_json_column_of_the_console_is_written_so():
    plain = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.JSONField)
        and field.model._meta.app_label in OURS
        and not isinstance(field, JSONField)
    ]
    assert plain == []


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["save", "update", "bulk_update"])
def test_the_database_takes_it_and_gives_it_back(peer_factory, cluster_factory, way):
    peer = peer_factory(cluster_factory("Madrid"), cluster_factory("Oslo"))
    peer.entries = [{"problem": "a\0\ud83d"}]
    match way:
        case "save":
            peer.save()
        case "update":
            Peer.objects.filter(pk=peer.pk).update(entries=peer.entries)
        case _:
            Peer.objects.bulk_update([peer], ["entries"])
    assert Peer.objects.get().entries == [{"problem": "a\ufffd\ufffd"}]
