"""What each role may do with alerts."""

from django.db import migrations

from opsconsole.accounts.grants import grant

VIEW = [
    f"view_{model}"
    for model in (
        "alert",
        "alertrule",
        "labelrule",
        "responsetime",
        "silence",
        "channel",
        "delivery",
        "deliveryattempt",
    )
]
OPERATE = ["raise_alert", "acknowledge", "silence", "resend"]
ADMIN = [
    f"{verb}_{model}" for verb in ("add", "change", "delete") for model in ("labelrule", "channel", "chatlink")
]
TUNE = ["tune", "change_alertrule", "change_responsetime", "view_chatlink", *ADMIN]


def grant_roles(apps, schema_editor):
    grant(
        apps,
        app_label="alerts",
        codenames={
            "viewer": VIEW,
            "auditor": VIEW,
            "operator": [*VIEW, *OPERATE],
            "supervisor": [*VIEW, *OPERATE, *TUNE],
            # A trading process raises alerts, resolves its own, and reads.
            "trading-system": [*VIEW, "raise_alert"],
        },
    )


class Migration(migrations.Migration):
    dependencies = [("alerts", "0002_defaults"), ("accounts", "0002_roles")]

    operations = [migrations.RunPython(grant_roles, migrations.RunPython.noop)]
