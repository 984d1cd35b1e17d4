"""The database keeps entries: only what the head calls pruned can be deleted."""

from django.db import migrations

KEEP = {
    "sqlite": [
        """
        CREATE TRIGGER audit_entry_stays BEFORE DELETE ON accounts_auditentry
        WHEN OLD.number > COALESCE(
            (SELECT pruned_number FROM accounts_audithead WHERE id = 1), 0
        )
        BEGIN SELECT RAISE(ABORT, 'An audit entry is never deleted.'); END
        """
    ],
    "postgresql": [
        """
        CREATE FUNCTION refuse_audit_delete() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            IF TG_OP = 'TRUNCATE' OR OLD.number > COALESCE(
                (SELECT pruned_number FROM accounts_audithead WHERE id = 1), 0
            ) THEN
                RAISE EXCEPTION 'An audit entry is never deleted.';
            END IF;
            RETURN OLD;
        END $$
        """,
        """
        CREATE TRIGGER audit_entry_stays BEFORE DELETE ON accounts_auditentry
        FOR EACH ROW EXECUTE FUNCTION refuse_audit_delete()
        """,
        """
        CREATE TRIGGER audit_entries_stay BEFORE TRUNCATE ON accounts_auditentry
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_delete()
        """,
    ],
}
RELEASE = {
    "sqlite": ["DROP TRIGGER audit_entry_stays"],
    "postgresql": [
        "DROP TRIGGER audit_entries_stay ON accounts_auditentry",
        "DROP TRIGGER audit_entry_stays ON accounts_auditentry",
        "DROP FUNCTION refuse_audit_delete()",
    ],
}


def run(statements):
    def execute(apps, schema_editor):
        for statement in statements.get(schema_editor.connection.vendor, []):
            schema_editor.execute(statement)

    return execute


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_audit_entries_are_final")]
    operations = [migrations.RunPython(run(KEEP), run(RELEASE))]
