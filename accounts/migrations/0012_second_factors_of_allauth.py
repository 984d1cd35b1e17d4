"""Second factors move to the tables of django-allauth, sealed as before."""

import json

from django.db import migrations

from accounts.secrets import seal_secret, unseal_secret

SEALED_FOR = "allauth.mfa"


def move(apps, schema_editor):
    Authenticator = apps.get_model("mfa", "Authenticator")
    for old in apps.get_model("accounts", "SecondFactor").objects.exclude(
        confirmed_at=None
    ):
        context = f"accounts.secondfactor:{old.pk}:"
        secret = unseal_secret(old.secret, context + "secret").reveal()
        Authenticator.objects.create(
            user_id=old.user_id,
            type="totp",
            data={"secret": seal_secret(secret, SEALED_FOR)},
            created_at=old.confirmed_at,
        )
        text = unseal_secret(old.recovery, context + "recovery").reveal() if old.recovery else "[]"
        # Only hashes of the codes exist; accounts.recovery_codes compares them.
        hashes = [seal_secret(code, SEALED_FOR) for code in json.loads(text)]
        Authenticator.objects.create(
            user_id=old.user_id,
            type="recovery_codes",
            data={
                "migrated_codes": hashes,
                "viewed_at": old.confirmed_at.timestamp(),
            },
            created_at=old.confirmed_at,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_identity_is_a_proxy"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.RunPython(move, migrations.RunPython.noop, elidable=True),
        migrations.DeleteModel(name="SecondFactor"),
    ]
