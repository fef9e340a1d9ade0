"""The rules, response times and label rules that a console begins with."""

from django.db import migrations

# Guide 3.1, 8.3.
DEFAULT_PRIORITIES = {
    "SYSTEM_ERROR": "HIGH",
    "TRADING_SIGNAL": "MEDIUM",
    "RISK_WARNING": "HIGH",
    "PORTFOLIO_UPDATE": "LOW",
    "DATA_QUALITY": "MEDIUM",
    "COST_ALERT": "MEDIUM",
    "PERFORMANCE": "LOW",
}
RESPONSE_TIMES = (
    {"priority": "CRITICAL", "minutes": 0, "escalate_every_minutes": 5},
    {"priority": "HIGH", "minutes": 15, "escalate_every_minutes": 15},
    {"priority": "MEDIUM", "minutes": 60, "escalate_every_minutes": 60},
    {"priority": "LOW", "minutes": 0, "next_business_day": True, "escalate_every_minutes": 1440},
)
SEVERITIES = (
    ("CRITICAL", "critical|page|emergency|fatal"),
    ("HIGH", "error|high|major"),
    ("MEDIUM", "warning|medium|minor"),
    ("LOW", "info|low|none|debug"),
)


def make_defaults(apps, schema_editor):
    """Again after a test's flush; rows that are there stay as they are."""
    apps.get_model("alerts", "Policy").objects.get_or_create(pk=1)
    rules = apps.get_model("alerts", "AlertRule").objects
    for category, priority in DEFAULT_PRIORITIES.items():
        rules.get_or_create(category=category, defaults={"default_priority": priority})
    times = apps.get_model("alerts", "ResponseTime").objects
    for values in RESPONSE_TIMES:
        times.get_or_create(priority=values["priority"], defaults=values)
    labels = apps.get_model("alerts", "LabelRule").objects
    if labels.exists():
        return
    position = 10
    for category in DEFAULT_PRIORITIES:
        matcher = _matcher("category", f"(?i){category}")
        labels.create(position=position, matchers=[matcher], category=category, comment="The label category itself")
        position += 10
    for priority, pattern in SEVERITIES:
        matcher = _matcher("severity", f"(?i){pattern}")
        labels.create(position=position, matchers=[matcher], priority=priority, comment="The label severity")
        position += 10


def _matcher(name, pattern):
    return {"name": name, "value": pattern, "isRegex": True, "isEqual": True}


class Migration(migrations.Migration):
    dependencies = [("alerts", "0001_initial")]

    operations = [migrations.RunPython(make_defaults, migrations.RunPython.noop)]
