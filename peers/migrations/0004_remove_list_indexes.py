from django.db import migrations

NAMES = ("peer_address_begins", "peer_username_begins")


def remove_prefix_indexes(apps, editor):
    if editor.connection.vendor == "postgresql":
        for name in NAMES:
            editor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    """Lists of 20,000 peers are searched without them."""

    dependencies = [("peers", "0003_saved_views")]

    operations = [
        migrations.RemoveIndex("peer", "peer_by_severity_address"),
        migrations.RunPython(remove_prefix_indexes, migrations.RunPython.noop),
    ]
