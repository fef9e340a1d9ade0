"""What each role may do with the kill switch."""

from django.db import migrations

from opsconsole.accounts.grants import grant

VIEW = [
    f"view_{model}"
    for model in ("switch", "activation", "tradingclient", "acknowledgement", "command", "commandresult")
]
OPERATE = ["stop", "drill", "command"]


def grant_roles(apps, schema_editor):
    grant(
        apps,
        app_label="killswitch",
        codenames={
            "viewer": VIEW,
            "auditor": VIEW,
            "operator": [*VIEW, *OPERATE],
            "supervisor": [*VIEW, *OPERATE, "rearm"],
            # A trading process may stop, and never re-arm.
            "trading-system": ["connect_tradingclient", "stop"],
        },
    )


class Migration(migrations.Migration):
    dependencies = [("killswitch", "0001_initial"), ("accounts", "0002_roles")]

    operations = [migrations.RunPython(grant_roles, migrations.RunPython.noop)]
