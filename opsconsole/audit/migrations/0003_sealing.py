"""The queue of what waits to be sealed, the sealed leaves, and the seals.

The queue is filled by the database in the writer's own transaction, from the moment on that this migration is committed; whatever was there before
is put into it here. Leaves and seals only grow, as events do.
"""

import django.contrib.postgres.fields
from django.db import migrations, models


FORWARD = """
CREATE FUNCTION audit_event_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_auditpending (event_id, leaf, written_at) VALUES (NEW.id, NEW.leaf, clock_timestamp());
    RETURN NULL;
END
$$;

-- A temporary table of the same name would come first, and take the row.
DO $$ BEGIN EXECUTE format('ALTER FUNCTION audit_event_queue() SET search_path = %I, pg_temp', current_schema()); END $$;

CREATE TRIGGER audit_event_queue AFTER INSERT ON audit_auditevent FOR EACH ROW EXECUTE FUNCTION audit_event_queue();
ALTER TABLE audit_auditevent ENABLE ALWAYS TRIGGER audit_event_queue;

CREATE TRIGGER audit_leaf_no_change BEFORE UPDATE OR DELETE ON audit_sealedleaf FOR EACH ROW EXECUTE FUNCTION audit_event_refuse();
CREATE TRIGGER audit_leaf_no_truncate BEFORE TRUNCATE ON audit_sealedleaf FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse();
ALTER TABLE audit_sealedleaf ENABLE ALWAYS TRIGGER audit_leaf_no_change;
ALTER TABLE audit_sealedleaf ENABLE ALWAYS TRIGGER audit_leaf_no_truncate;

CREATE TRIGGER audit_seal_no_change BEFORE UPDATE OR DELETE ON audit_auditseal FOR EACH ROW EXECUTE FUNCTION audit_event_refuse();
CREATE TRIGGER audit_seal_no_truncate BEFORE TRUNCATE ON audit_auditseal FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse();
ALTER TABLE audit_auditseal ENABLE ALWAYS TRIGGER audit_seal_no_change;
ALTER TABLE audit_auditseal ENABLE ALWAYS TRIGGER audit_seal_no_truncate;

-- What waits is taken out when it is sealed, never changed.
CREATE TRIGGER audit_pending_no_change BEFORE UPDATE ON audit_auditpending FOR EACH ROW EXECUTE FUNCTION audit_event_refuse();
CREATE TRIGGER audit_pending_no_truncate BEFORE TRUNCATE ON audit_auditpending FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse();
ALTER TABLE audit_auditpending ENABLE ALWAYS TRIGGER audit_pending_no_change;
ALTER TABLE audit_auditpending ENABLE ALWAYS TRIGGER audit_pending_no_truncate;

-- Rows live for a second: they are cleared away often, and the file is not cut, for that locks out writers.
ALTER TABLE audit_auditpending SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, vacuum_truncate = off);

-- No event slips in between: making the trigger has locked out writers until the end of this transaction.
INSERT INTO audit_auditpending (event_id, leaf, written_at) SELECT id, leaf, now() FROM audit_auditevent ORDER BY id;
"""

BACKWARD = """
DROP TRIGGER audit_event_queue ON audit_auditevent;
DROP FUNCTION audit_event_queue();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_triggers'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditSeal',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('size', models.BigIntegerField(unique=True)),
                ('root', models.BinaryField(max_length=32)),
                ('frontier', django.contrib.postgres.fields.ArrayField(base_field=models.BinaryField(max_length=32), size=None)),
                ('checkpoint', models.TextField()),
                ('key_name', models.CharField(max_length=255)),
                ('key_id', models.CharField(max_length=8)),
            ],
        ),
        migrations.CreateModel(
            name='SealedLeaf',
            fields=[
                ('index', models.BigIntegerField(primary_key=True, serialize=False)),
                ('event_id', models.BigIntegerField(unique=True)),
                ('leaf', models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name='AuditPending',
            fields=[
                ('event_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('leaf', models.BinaryField(max_length=32)),
                ('written_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['written_at', 'event_id'], name='audit_pending_oldest')],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
