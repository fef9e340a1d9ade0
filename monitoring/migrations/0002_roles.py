"""What each role may do with metrics."""

from django.db import migrations

from opsconsole.accounts.grants import grant

VIEW = ["view_series"]


def grant_roles(apps, schema_editor):
    grant(
        apps,
        app_label="monitoring",
        codenames={
            "viewer": VIEW,
            "auditor": VIEW,
            "operator": VIEW,
            "supervisor": VIEW,
            "trading-system": [*VIEW, "push_metrics"],
        },
    )


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_initial"), ("accounts", "0002_roles")]

    operations = [migrations.RunPython(grant_roles, migrations.RunPython.noop)]
