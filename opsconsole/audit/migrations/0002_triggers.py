"""The leaf of each event, computed by the database, and the refusal of every change to what was written.

The triggers fire ALWAYS: no session setting (not even `session_replication_role`) gets round them. Only the owner of the table can switch them off, and
that is a change of the schema.
"""

from django.db import migrations

# Each field has its place in a JSON array, so that no two events share an encoding. Timestamps are written out in UTC
# with microseconds: the session's time zone, DateStyle and the like have no influence.
FORWARD = r"""
CREATE FUNCTION audit_event_leaf(e audit_auditevent) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public AS $$
    SELECT sha256(convert_to(jsonb_build_array(
        e.id,
        to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        e.actor_kind, e.actor_name, e.actor_id, e.action, e.object_type, e.object_id, e.object_label, e.reason,
        e.before, e.after, e.metadata, host(e.ip), e.request_id
    )::text, 'UTF8'))
$$;

CREATE FUNCTION audit_event_set_leaf() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.leaf := audit_event_leaf(NEW);
    RETURN NEW;
END
$$;

CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'Record a new event that corrects the old one.';
END
$$;

CREATE TRIGGER audit_event_leaf BEFORE INSERT ON audit_auditevent FOR EACH ROW EXECUTE FUNCTION audit_event_set_leaf();
CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON audit_auditevent FOR EACH ROW EXECUTE FUNCTION audit_event_refuse();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_auditevent FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse();
ALTER TABLE audit_auditevent ENABLE ALWAYS TRIGGER audit_event_leaf;
ALTER TABLE audit_auditevent ENABLE ALWAYS TRIGGER audit_event_no_change;
ALTER TABLE audit_auditevent ENABLE ALWAYS TRIGGER audit_event_no_truncate;
"""

BACKWARD = """
DROP TRIGGER audit_event_leaf ON audit_auditevent;
DROP TRIGGER audit_event_no_change ON audit_auditevent;
DROP TRIGGER audit_event_no_truncate ON audit_auditevent;
DROP FUNCTION audit_event_set_leaf();
DROP FUNCTION audit_event_refuse();
DROP FUNCTION audit_event_leaf(audit_auditevent);
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
