"""Move who people are at a provider or directory to django-allauth's table."""

import hashlib

from django.db import migrations


def provider_of(identity):
    return "ldap" if identity.provider == "ldap" else f"oidc:{identity.issuer}"


def uid_of(identity):
    if len(identity.subject) <= 191:
        return identity.subject
    return f"sha256:{hashlib.sha256(identity.subject.encode()).hexdigest()}"


def move(apps, schema_editor):
    SocialAccount = apps.get_model("socialaccount", "SocialAccount")
    for identity in apps.get_model("accounts", "Identity").objects.iterator():
        groups = identity.groups
        row = SocialAccount.objects.create(
            user_id=identity.user_id,
            provider=provider_of(identity),
            uid=uid_of(identity),
            extra_data={} if groups is None else {"groups": groups},
        )
        # The library stamps both with the present when a row is stored.
        SocialAccount.objects.filter(pk=row.pk).update(
            date_joined=identity.created_at,
            last_login=identity.used_at or identity.created_at,
        )


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0009_groups_give_clusters"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
    ]

    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
