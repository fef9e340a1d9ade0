"""Who may read the audit trail. Here, since the trail knows nothing of roles."""

from django.db import migrations

from opsconsole.accounts.grants import grant

READ = ["view_auditevent"]


def grant_roles(apps, schema_editor):
    grant(apps, app_label="audit", codenames=dict.fromkeys(("viewer", "operator", "supervisor", "auditor"), READ))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_roles"), ("audit", "0002_triggers")]

    operations = [migrations.RunPython(grant_roles, migrations.RunPython.noop)]
