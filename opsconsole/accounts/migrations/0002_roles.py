"""The roles, and the service account `local` of the loopback rule. Each app grants its own permissions later."""

from django.db import migrations

ROLES = ("viewer", "operator", "supervisor", "auditor", "trading-system")
LOCAL = ("operator", "supervisor", "trading-system")


def make_roles(apps, schema_editor):
    group = apps.get_model("auth", "Group")
    for name in ROLES:
        group.objects.get_or_create(name=name)
    # "!" can never match a password.
    local, _ = apps.get_model("accounts", "User").objects.get_or_create(
        username="local", defaults={"is_service": True, "password": "!"}
    )
    local.groups.add(*group.objects.filter(name__in=LOCAL))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
