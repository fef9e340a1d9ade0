"""The runbooks of the guide, and who may read, write and work through them.

Matchers are what Alertmanager's API has: `breaker=~".+"` is every alert with the label `breaker`.
"""

from django.db import migrations

from opsconsole.accounts.grants import grant

READ, COMMAND, PRESS, CONFIRM = "read", "command", "press", "confirm"
TOKEN = '-H "Authorization: Bearer $TOKEN"'
API = "{{console}}/monitoring"


def get(path):
    return f"curl {TOKEN} {API}/{path}"


def post(path, body=""):
    data = f" \\\n  -H 'Content-Type: application/json' -d '{body}'" if body else ""
    return f"curl -X POST {TOKEN} {API}/{path}{data}"


def labelled(name, pattern=".+"):
    return {"name": name, "value": pattern, "isRegex": True, "isEqual": True}


def step(kind, title, text="", what="", target="", stop_reason="", command=""):
    return {
        "kind": kind,
        "title": title,
        "text": text,
        "what": what,
        "target": target,
        "stop_reason": stop_reason,
        "command": command,
    }


LOOK_AT_STOP = step(
    READ,
    "Look whether trading is stopped",
    "The state bar above says the same on every page, with the proof.",
    what="kill_switch",
    command=get("kill-switch"),
)
REARM = step(
    PRESS,
    "Resume trading",
    "Supervisors only, and not before every process is proven stopped. The form asks what was wrong and why it is safe now.",
    what="rearm",
    command=post("kill-switch/deactivate", '{"message":"…"}'),
)

RUNBOOKS = {
    "high-api-costs": {
        "name": "High API Costs",
        "summary": "The AI models or other interfaces cost more than the budget allows.",
        "category": "COST_ALERT",
        "matchers": [],
        "steps": [
            step(
                READ,
                "Check current costs",
                "What the AI models have cost since the trading day began. **Metrics**, **Cost** has it by model and by hour.",
                what="cost",
                command=get("metrics/trading"),
            ),
            step(
                PRESS,
                "If over budget, stop trading",
                "While trading is stopped the models are asked less. Leave it out if the budget is only near.",
                what="stop",
                target="global",
                stop_reason="COST_ALERT",
                command=post(
                    "kill-switch/activate", '{"reason":"COST_ALERT","message":"Daily AI cost exceeded the budget"}'
                ),
            ),
            step(
                CONFIRM,
                "Investigate and fix",
                "Which model, and which of our programs asks it? Look for:\n\n"
                "- the same question asked again and again: a cache that does not hit\n"
                "- retries without a pause\n"
                "- a dearer model than was meant\n\n"
                "Write down what it was.",
            ),
            step(READ, "Check that the cost has stopped growing", what="cost"),
            REARM,
        ],
    },
    "circuit-breaker-open": {
        "name": "Circuit Breaker Open",
        "summary": "Calls to a service outside are rejected, because too many of them failed.",
        "category": "",
        "matchers": [labelled("breaker")],
        "steps": [
            step(
                READ,
                "Check the breaker {{breaker}}",
                "In which processes is it open, since when, and what was the last failure?",
                what="breaker",
                target="{{breaker}}",
                command=get("circuit-breakers/{{breaker}}"),
            ),
            step(
                COMMAND,
                "Verify that the service outside is back",
                "Ask it yourself, from a host that trades. This is for `yahoo_finance`; put in the address of yours. "
                "While it still fails, leave the breaker open: it protects you.",
                command="curl -i https://query1.finance.yahoo.com/v8/finance/chart/AAPL",
            ),
            step(
                PRESS,
                "Reset the breaker",
                "It closes in every process at once. If the service still fails, it opens again by itself.",
                what="reset_breaker",
                target="{{breaker}}",
                command=post("circuit-breakers/{{breaker}}/reset", '{"reason":"The service is back"}'),
            ),
            step(
                READ,
                "See that it stays closed",
                "Give it a few minutes. One that opens again and again needs other thresholds, or another service.",
                what="breaker",
                target="{{breaker}}",
            ),
        ],
    },
    "system-degraded": {
        "name": "System Degraded",
        "summary": "A component of the console, or of what it watches, is degraded or unhealthy.",
        "category": "",
        "matchers": [labelled("component")],
        "steps": [
            step(
                READ,
                "Get the health of everything",
                "What is unhealthy, and what only follows from it? Workers, say, do nothing without Redis.",
                what="health",
                command=get("health"),
            ),
            step(
                READ,
                "Look at {{component}}",
                what="component",
                target="{{component}}",
                command=get("health/component/{{component}}"),
            ),
            step(
                PRESS,
                "If critical, stop trading",
                "When orders can go wrong, or nobody could see it if they did.",
                what="stop",
                target="global",
                stop_reason="SYSTEM_ERROR",
                command=post("kill-switch/activate", '{"reason":"SYSTEM_ERROR","message":"…"}'),
            ),
            step(
                CONFIRM,
                "Fix it",
                "Restart the service, clear the disk, bring the network back. Write down what you did.",
            ),
            step(
                PRESS,
                "Verify that health is restored",
                "Looks at everything now. A component counts as healthy after two good results in a row.",
                what="refresh_health",
                command=get("health?refresh=true"),
            ),
            REARM,
        ],
    },
    "kill-switch-stays-active": {
        "name": "Kill Switch Won’t Deactivate",
        "summary": "Trading is stopped and cannot be re-armed, or a process stays stopped or goes on trading.",
        "category": "",
        "matchers": [
            labelled(
                "alertname",
                "Trading stopped: .*|Reduce only: .*|Stop not proven|Stops are overridden: .*|Stopped on its own host: .*",
            )
        ],
        "steps": [
            LOOK_AT_STOP,
            step(
                READ,
                "Look at the processes",
                "Re-arming waits until each is proven stopped: it has acknowledged, or its lease is over. One that was stopped by the halt file "
                "or by its own code stays stopped until that is taken away on its host.",
                what="clients",
            ),
            REARM,
            step(
                COMMAND,
                "If the pages do not answer, re-arm on the console's host",
                "Straight on the database, with web, worker and Redis down. It asks for nothing, so be as sure as the form would have you be.",
                command='script/manage killswitch status\nscript/manage killswitch deactivate --message "…"',
            ),
            step(
                CONFIRM,
                "Last resort: override the stop inside one process",
                "In that process' own code or debugger:\n\n```\nstatus = kill_switch.get_status()\nprint(status)\n"
                "kill_switch.is_active = False  # emergency override\n```\n\n"
                "It then **ignores every stop**, and the console shows it as OVERRIDDEN and alerts until it is taken back. Write down who decided it.",
            ),
        ],
    },
    "too-many-alerts": {
        "name": "Too Many Alerts",
        "summary": "So many alerts come that the ones that matter are lost among them.",
        "category": "",
        "matchers": [],
        "steps": [
            step(
                READ,
                "See which alerts come most often",
                "**Alerts**, **Noise** has 30 days of them, with those that nobody ever acted on.",
                what="alerts",
                command=get("alerts/noise"),
            ),
            step(
                PRESS,
                "Silence what you know of",
                "With an end and a reason. It is still raised, counted and shown.",
                what="silence",
            ),
            step(
                COMMAND,
                "Let less through",
                "Supervisors only. The page of the rule replays a change over stored alerts before it is saved.",
                command=f"curl -X PATCH {TOKEN} {API}/alerts/rules/TRADING_SIGNAL \\\n"
                "  -H 'Content-Type: application/json' -d '{\"max_per_hour\": 5, \"dedupe_window_minutes\": 60}'",
            ),
            step(
                CONFIRM,
                "Mend the cause",
                "An alert that asks for no action is none: raise its threshold, give it a longer window, or take it away.",
            ),
            step(READ, "See that it is quieter", what="alerts"),
        ],
    },
}
VIEW = ["view_runbook", "view_incident"]
WORK = [*VIEW, "work_incident"]


def make_runbooks(apps, schema_editor):
    """Rows that are there stay as they are."""
    runbooks = apps.get_model("runbooks", "Runbook").objects
    steps = apps.get_model("runbooks", "RunbookStep").objects
    for slug, values in RUNBOOKS.items():
        said = {name: value for name, value in values.items() if name != "steps"}
        runbook, created = runbooks.get_or_create(slug=slug, defaults=said)
        if created:
            for position, one in enumerate(values["steps"], start=1):
                steps.create(runbook=runbook, position=position, **one)


def grant_roles(apps, schema_editor):
    grant(
        apps,
        app_label="runbooks",
        codenames={
            "viewer": VIEW,
            "auditor": VIEW,
            "operator": WORK,
            "supervisor": [*WORK, "tune_runbook"],
        },
    )


class Migration(migrations.Migration):
    dependencies = [("runbooks", "0001_initial"), ("accounts", "0002_roles")]

    operations = [
        migrations.RunPython(make_runbooks, migrations.RunPython.noop),
        migrations.RunPython(grant_roles, migrations.RunPython.noop),
    ]
