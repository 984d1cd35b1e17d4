from django.db import migrations


def keep_searches(apps, editor):
    """The searches of Find and List are views of one list among others now."""
    SavedView = apps.get_model("ui", "SavedView")
    for search in apps.get_model("peers", "SavedSearch").objects.all():
        SavedView.objects.create(
            user_id=search.user_id,
            list="peers:find",
            name=search.name,
            query=search.query,
        )


class Migration(migrations.Migration):

    dependencies = [
        ("peers", "0002_bulk_drafts"),
        ("ui", "0001_saved_views"),
    ]

    operations = [
        migrations.RunPython(keep_searches, migrations.RunPython.noop),
        migrations.DeleteModel(name="SavedSearch"),
    ]
