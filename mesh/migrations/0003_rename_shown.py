"""Renames the stored peer tables."""

from django.db import migrations


class Migration(migrations.Migration):
    """Renames the stored peer tables."""

    dependencies = [("mesh", "0002_neighbours")]

    operations = [
        migrations.RenameModel("Shown", "ObservedPeerTable"),
    ]
