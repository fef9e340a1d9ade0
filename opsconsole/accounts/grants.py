"""Used by the apps' migrations: grants permissions to roles."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.management import create_permissions


def grant(apps: Any, *, app_label: str, codenames: Mapping[str, Sequence[str]]) -> None:
    """Give each role (a group's name) the app's permissions with these codenames.

    Django makes permissions only after the last migration, so they are made here first. A codename that no model of the app has
    is an error (KeyError), not a silent gap.
    """
    config = apps.get_app_config(app_label)
    had_models = getattr(config, "models_module", None)
    # create_permissions() skips apps without a models module, which the historical apps of migrations do not have.
    config.models_module = had_models or True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = had_models
    permissions = {
        permission.codename: permission
        for permission in apps.get_model("auth", "Permission").objects.filter(
            content_type__app_label=app_label
        )
    }
    group = apps.get_model("auth", "Group")
    for role, names in codenames.items():
        group.objects.get_or_create(name=role)[0].permissions.add(*(permissions[name] for name in names))
