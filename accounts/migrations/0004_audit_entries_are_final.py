from django.db import migrations, models

REFUSE_UPDATE = {
    "sqlite": [
        """
        CREATE TRIGGER audit_entry_is_final BEFORE UPDATE ON accounts_auditentry
        BEGIN SELECT RAISE(ABORT, 'An audit entry is never changed.'); END
        """
    ],
    "postgresql": [
        """
        CREATE FUNCTION refuse_audit_update() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'An audit entry is never changed.'; END $$
        """,
        """
        CREATE TRIGGER audit_entry_is_final BEFORE UPDATE ON accounts_auditentry
        FOR EACH ROW EXECUTE FUNCTION refuse_audit_update()
        """,
    ],
}
ALLOW_UPDATE = {
    "sqlite": ["DROP TRIGGER audit_entry_is_final"],
    "postgresql": [
        "DROP TRIGGER audit_entry_is_final ON accounts_auditentry",
        "DROP FUNCTION refuse_audit_update()",
    ],
}


def run(statements):
    def execute(apps, schema_editor):
        for statement in statements.get(schema_editor.connection.vendor, []):
            schema_editor.execute(statement)

    return execute


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_sessions_attempts_audit_chain")]
    operations = [
        migrations.AlterField(
            "auditentry", "number", models.BigIntegerField(unique=True)
        ),
        migrations.RunPython(run(REFUSE_UPDATE), run(ALLOW_UPDATE)),
    ]
