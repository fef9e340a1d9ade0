"""Rules: refusals first; then the change, its audit, and the policy's version."""

from typing import Any

import pytest

from alerts.models import AlertRule, LabelRule, Policy, ResponseTime
from alerts.rule_values import Refused
from alerts.services import rules
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.rows import NOW
from tests.cast import acting, caller

URL = "/monitoring/alerts/rules"
RULE = f"{URL}/RISK_WARNING"
JSON = "application/json"


def version() -> int:
    return Policy.objects.get().version


def test_needs_the_rights(charlie: User, alice: User) -> None:
    assert caller(charlie).get(URL).status_code == 403
    assert caller(charlie).get(RULE).status_code == 403
    answer = caller(alice).patch(RULE, {"enabled": False}, content_type=JSON)
    assert answer.status_code == 403
    assert "supervisor" in answer.json()["error"]["message"]
    assert AlertRule.objects.get(category="RISK_WARNING").enabled


@pytest.mark.parametrize(
    ("values", "field", "allowed"),
    [
        ({"enabled": 1}, "enabled", "true or false"),
        ({"min_priority": "URGENT"}, "min_priority", "LOW, MEDIUM, HIGH, CRITICAL"),
        ({"default_priority": ["LOW"]}, "default_priority", "LOW, MEDIUM, HIGH, CRITICAL"),
        ({"max_per_hour": -1}, "max_per_hour", "0 to 100000"),
        ({"max_per_hour": True}, "max_per_hour", "0 to 100000"),
        ({"max_per_hour": "5"}, "max_per_hour", "0 to 100000"),
        ({"dedupe_window_minutes": 10_081}, "dedupe_window_minutes", "0 to 10080"),
        ({"quiet_start": 24}, "quiet_start", "0 to 23"),
        ({"quiet_end": 6.5}, "quiet_end", "0 to 23"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "America/New_York"),
        ({"time_zone": "../etc/passwd"}, "time_zone", "America/New_York"),
        ({"category": "COST_ALERT"}, "category", "not a field"),
        ({"max": 5}, "max", "not a field"),
        ({"reason": "x" * 2001}, "reason", "0 to 2000"),
        ({"version": "1"}, "version", "whole number"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(
    sam: User, values: dict[str, Any], field: str, allowed: str
) -> None:
    before = version()
    answer = caller(sam).patch(RULE, {"enabled": False} | values, content_type=JSON)
    assert answer.status_code == 400
    assert allowed in answer.json()["error"]["details"][field]
    assert AlertRule.objects.get(category="RISK_WARNING").version == 1
    assert version() == before


def test_an_unknown_category_is_not_found(sam: User) -> None:
    assert caller(sam).get(f"{URL}/NOPE").status_code == 404
    assert caller(sam).patch(f"{URL}/NOPE", {"enabled": False}, content_type=JSON).status_code == 404


def test_a_version_that_is_not_the_present_one_is_refused(sam: User) -> None:
    client = caller(sam)
    client.patch(RULE, {"max_per_hour": 5}, content_type=JSON)
    answer = client.patch(RULE, {"max_per_hour": 9, "version": 1}, content_type=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "changed_meanwhile")
    assert answer.json()["error"]["details"] == {"version": 2}
    assert client.patch(RULE, {"max_per_hour": 9, "version": 2}, content_type=JSON).status_code == 200


def test_changes_what_is_given_and_tells_the_trail(sam: User) -> None:
    before = version()
    wanted = {"max_per_hour": 5, "quiet_start": 21, "time_zone": "Europe/Lisbon", "reason": "Too many"}
    answer = caller(sam).patch(f"{URL}/risk_warning", wanted, content_type=JSON).json()
    assert answer["changed"] is True
    assert (answer["max_per_hour"], answer["quiet_start"], answer["dedupe_window_minutes"]) == (5, 21, 15)
    assert (answer["version"], answer["updated_by"]) == (2, "sam via tests")
    rule = AlertRule.objects.get(category="RISK_WARNING")
    assert (rule.max_per_hour, rule.time_zone, rule.version) == (5, "Europe/Lisbon", 2)
    assert version() == before + 1
    event = AuditEvent.objects.get(action="alerts.rule_changed")
    assert (event.actor_name, event.object_label, event.reason) == (
        "sam via tests",
        "RISK_WARNING",
        "Too many",
    )
    assert event.before is not None
    assert event.after is not None
    changed = {name for name in event.before if event.before[name] != event.after[name]}
    assert changed == {"max_per_hour", "quiet_start", "time_zone"}


def test_the_same_values_change_nothing(sam: User) -> None:
    before = version()
    answer = caller(sam).patch(RULE, {"max_per_hour": 20, "reason": "again"}, content_type=JSON).json()
    assert (answer["changed"], answer["version"]) == (False, 1)
    assert version() == before
    assert not AuditEvent.objects.filter(action="alerts.rule_changed").exists()


def test_lists_every_category(bob: User) -> None:
    results = caller(bob).get(URL).json()["results"]
    assert {row["category"]: row["default_priority"] for row in results} == {
        "SYSTEM_ERROR": "HIGH",
        "TRADING_SIGNAL": "MEDIUM",
        "RISK_WARNING": "HIGH",
        "PORTFOLIO_UPDATE": "LOW",
        "DATA_QUALITY": "MEDIUM",
        "COST_ALERT": "MEDIUM",
        "PERFORMANCE": "LOW",
    }
    assert {
        (row["max_per_hour"], row["dedupe_window_minutes"], row["quiet_start"], row["quiet_end"])
        for row in results
    } == {(20, 15, 22, 7)}


# Label rules and response times

SEVERE = [{"name": "severity", "value": "severe", "isRegex": False, "isEqual": True}]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"matchers": SEVERE}, "category"),
        ({"priority": "HIGH"}, "matchers"),
        ({"priority": "HIGH", "matchers": []}, "matchers"),
        ({"priority": "HIGH", "matchers": [{"name": "a", "value": "(", "isRegex": True}]}, "matchers"),
        ({"priority": "URGENT", "matchers": SEVERE}, "priority"),
        ({"priority": "HIGH", "matchers": SEVERE, "comment": "two\nlines"}, "comment"),
        ({"priority": "HIGH", "matchers": SEVERE, "pk": 1}, "pk"),
    ],
)
def test_a_bad_label_rule_is_refused(sam: User, values: dict[str, Any], field: str) -> None:
    count = LabelRule.objects.count()
    with pytest.raises(Refused) as refused:
        rules.create_label_rule(actor=acting(sam), values=values, reason="test")
    assert refused.value.field == field
    assert LabelRule.objects.count() == count


def test_a_label_rule_from_its_making_to_its_end(sam: User) -> None:
    first = version()
    actor = acting(sam)
    rule = rules.create_label_rule(
        actor=actor, values={"priority": "HIGH", "matchers": SEVERE}, reason="New team", now=NOW
    )
    rules.change_label_rule(
        actor=actor, label_rule_id=rule.pk, values={"priority": "CRITICAL"}, reason="Louder", now=NOW
    )
    rules.change_label_rule(
        actor=actor, label_rule_id=rule.pk, values={"priority": "CRITICAL"}, reason="Again", now=NOW
    )
    with pytest.raises(Refused, match="category"):
        rules.change_label_rule(
            actor=actor, label_rule_id=rule.pk, values={"priority": ""}, reason="None", now=NOW
        )
    assert LabelRule.objects.get(pk=rule.pk).priority == "CRITICAL"
    rules.delete_label_rule(actor=actor, label_rule_id=rule.pk, reason="Gone", now=NOW)
    assert not LabelRule.objects.filter(pk=rule.pk).exists()
    events = AuditEvent.objects.filter(action__startswith="alerts.label_rule").order_by("id")
    assert [(event.action.rpartition("_")[2], event.reason) for event in events] == [
        ("created", "New team"),
        ("changed", "Louder"),
        ("deleted", "Gone"),
    ]
    assert version() == first + 3


def test_response_times(sam: User) -> None:
    with pytest.raises(Refused, match="escalate_every_minutes"):
        rules.change_response_time(
            actor=acting(sam), priority="HIGH", values={"escalate_every_minutes": 0}, reason="x"
        )
    rules.change_response_time(actor=acting(sam), priority="HIGH", values={"minutes": 10}, reason="Faster")
    rules.change_response_time(actor=acting(sam), priority="HIGH", values={"minutes": 10}, reason="Again")
    assert ResponseTime.objects.get(priority="HIGH").minutes == 10
    event = AuditEvent.objects.get(action="alerts.response_time_changed")
    assert event.before is not None
    assert event.after is not None
    assert (event.before["minutes"], event.after["minutes"], event.reason) == (15, 10, "Faster")
