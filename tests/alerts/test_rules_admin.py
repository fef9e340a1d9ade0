"""Rules, label rules and response times in the admin: through their services, with a reason."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from alerts.models import AlertRule, LabelRule, Policy, ResponseTime
from alerts.services.raised import RaisedAlert
from alerts.services.raising import raise_alerts
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.rows import firing
from tests.cast import account, acting

ADMIN = "/admin/alerts"


def signed_in(user: User, *, is_superuser: bool = False) -> Client:
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=is_superuser)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


@pytest.fixture
def supervisor(sam: User) -> Client:
    return signed_in(sam)


@pytest.fixture
def rule(db: None) -> AlertRule:
    return AlertRule.objects.get(category="RISK_WARNING")


def page_of(rule: AlertRule) -> str:
    return f"{ADMIN}/alertrule/{rule.pk}/change/"


def filled_in(rule: AlertRule, **values: Any) -> dict[str, Any]:
    names = (
        "default_priority",
        "min_priority",
        "max_per_hour",
        "dedupe_window_minutes",
        "quiet_start",
        "quiet_end",
        "time_zone",
    )
    given = {name: getattr(rule, name) for name in (*names, "quiet_passes", "version")}
    return given | {"enabled": "on", "reason": "Too many at night"} | values


def test_needs_the_rights(bob: User, alice: User, rule: AlertRule) -> None:
    for user in (bob, alice):
        assert signed_in(user).post(page_of(rule), filled_in(rule, max_per_hour=5)).status_code == 403
    assert AlertRule.objects.get(pk=rule.pk).version == 1


def test_none_is_added_or_deleted(rule: AlertRule, db: None) -> None:
    root = signed_in(account("root"), is_superuser=True)
    for name, pk in (("alertrule", rule.pk), ("responsetime", ResponseTime.objects.get(priority="HIGH").pk)):
        assert root.get(f"{ADMIN}/{name}/add/").status_code == 403
        assert root.post(f"{ADMIN}/{name}/{pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"reason": ""}, "Say why."),
        ({"max_per_hour": 100_001}, "100000"),
        ({"time_zone": "Mars/Olympus"}, "must be a time zone such as America/New_York"),
        ({"quiet_start": 24}, "23"),
        ({"version": 7}, "Somebody changed this alert rule meanwhile"),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_changes(
    supervisor: Client, rule: AlertRule, values: dict[str, Any], words: str
) -> None:
    answer = supervisor.post(page_of(rule), filled_in(rule, min_priority="HIGH") | values)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert AlertRule.objects.get(pk=rule.pk).min_priority == "LOW"


def test_a_change_goes_through_the_service(supervisor: Client, rule: AlertRule) -> None:
    before = Policy.objects.get().version
    assert supervisor.post(page_of(rule), filled_in(rule, max_per_hour=5)).status_code == 302
    changed = AlertRule.objects.get(pk=rule.pk)
    assert (changed.max_per_hour, changed.version, changed.updated_by) == (5, 2, "sam")
    assert Policy.objects.get().version == before + 1
    event = AuditEvent.objects.get(action="alerts.rule_changed")
    assert event.before is not None
    assert event.after is not None
    assert (event.reason, event.before["max_per_hour"], event.after["max_per_hour"]) == (
        "Too many at night",
        20,
        5,
    )


def test_nothing_new_changes_nothing(supervisor: Client, rule: AlertRule) -> None:
    answer = supervisor.post(page_of(rule), filled_in(rule), follow=True)
    assert "Nothing was changed." in answer.content.decode()
    assert AlertRule.objects.get(pk=rule.pk).version == 1
    assert not AuditEvent.objects.filter(action="alerts.rule_changed").exists()


# The replay

NOT_ALLOWED = 405


def replay_of(rule: AlertRule) -> str:
    return f"{ADMIN}/alertrule/{rule.pk}/replay/"


def test_replaying_needs_the_right_to_change(alice: User, rule: AlertRule) -> None:
    assert signed_in(alice).post(replay_of(rule), filled_in(rule)).status_code == 403


def test_replay_refuses_what_the_form_refuses(supervisor: Client, rule: AlertRule) -> None:
    assert supervisor.get(replay_of(rule)).status_code == NOT_ALLOWED
    assert supervisor.post(f"{ADMIN}/alertrule/999999/replay/").status_code == 404
    page = supervisor.post(replay_of(rule), filled_in(rule, max_per_hour=-1)).content.decode()
    assert "These values cannot be replayed." in page
    assert "max_per_hour" in page


def test_replay_shows_what_would_have_been_sent_and_changes_nothing(
    supervisor: Client, rule: AlertRule, trader: User
) -> None:
    AlertRule.objects.filter(pk=rule.pk).update(quiet_start=0, quiet_end=0)
    rule.refresh_from_db()
    alerts = [
        RaisedAlert(category="RISK_WARNING", title=f"<b>Risk {number}", source="test", priority="HIGH")
        for number in range(3)
    ]
    raise_alerts(actor=acting(trader), alerts=alerts, now=timezone.now() - timedelta(days=1))
    page = supervisor.post(replay_of(rule), filled_in(rule, max_per_hour=1, reason="")).content.decode()
    assert "<caption>3 alerts</caption>" in page
    assert '<th scope="row">sent</th><td>3</td><td>1</td>' in page
    assert '<th scope="row">rate limited</th><td>0</td><td>2</td>' in page
    assert "2 would have fared otherwise" in page
    assert "&lt;b&gt;Risk 1" in page
    assert AlertRule.objects.get(pk=rule.pk).max_per_hour == 20
    # Its form saves what was replayed.
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page))
    hidden.pop("csrfmiddlewaretoken", None)
    assert hidden["max_per_hour"] == "1"
    saved = supervisor.post(page_of(rule), hidden | {"reason": "Seen in the replay", "_save": "Save"})
    assert saved.status_code == 302
    changed = AlertRule.objects.get(pk=rule.pk)
    assert (changed.max_per_hour, changed.enabled, changed.dedupe_window_minutes) == (1, True, 15)


def test_the_rules_page_offers_the_replay(supervisor: Client, rule: AlertRule) -> None:
    assert f'formaction="{replay_of(rule)}"' in supervisor.get(page_of(rule)).content.decode()
    page = supervisor.post(replay_of(rule), filled_in(rule)).content.decode()
    assert "No alert of this category was raised" in page
    assert "Save these values" not in page


def test_response_times(supervisor: Client) -> None:
    row = ResponseTime.objects.get(priority="HIGH")
    page = f"{ADMIN}/responsetime/{row.pk}/change/"
    assert supervisor.post(page, {"minutes": 10, "escalate_every_minutes": 5}).status_code == 200
    supervisor.post(page, {"minutes": 10, "escalate_every_minutes": 5, "reason": "Faster"})
    row.refresh_from_db()
    assert (row.minutes, row.escalate_every_minutes) == (10, 5)
    assert AuditEvent.objects.get(action="alerts.response_time_changed").reason == "Faster"


LABEL_RULE = {
    "position": 5,
    "enabled": "on",
    "priority": "HIGH",
    "category": "",
    "comment": "",
    "reason": "New team",
}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"matchers": "severity"}, "bad matcher format"),
        ({"matchers": 'severity=~"("'}, "matchers"),
        ({"matchers": 'severity="x"', "priority": ""}, "Give a category, or a priority, or both."),
        ({"matchers": ""}, "required"),
    ],
)
def test_a_bad_label_rule_is_refused(supervisor: Client, values: dict[str, Any], words: str) -> None:
    count = LabelRule.objects.count()
    answer = supervisor.post(f"{ADMIN}/labelrule/add/", LABEL_RULE | values)
    assert words in answer.content.decode()
    assert LabelRule.objects.count() == count


def test_a_label_rule_from_its_making_to_its_end(supervisor: Client) -> None:
    text = 'severity="severe"\nteam!~"qa|dev"'
    supervisor.post(f"{ADMIN}/labelrule/add/", LABEL_RULE | {"matchers": text})
    rule = LabelRule.objects.get(position=5)
    assert [(item["name"], item["isRegex"], item["isEqual"]) for item in rule.matchers] == [
        ("severity", False, True),
        ("team", True, False),
    ]
    page = f"{ADMIN}/labelrule/{rule.pk}"
    assert text.replace('"', "&quot;") in supervisor.get(f"{page}/change/").content.decode()
    supervisor.post(f"{page}/change/", LABEL_RULE | {"matchers": text, "priority": "CRITICAL"})
    assert LabelRule.objects.get(pk=rule.pk).priority == "CRITICAL"
    assert "severity=" in supervisor.get(f"{ADMIN}/labelrule/").content.decode()
    supervisor.post(f"{page}/delete/", {"post": "yes"})
    actions = AuditEvent.objects.filter(action__startswith="alerts.label_rule").order_by("id")
    assert [event.action.rpartition("_")[2] for event in actions] == ["created", "changed", "deleted"]
    supervisor.post(f"{ADMIN}/labelrule/add/", LABEL_RULE | {"matchers": text})
    chosen = [LabelRule.objects.get(position=5).pk]
    supervisor.post(
        f"{ADMIN}/labelrule/", {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    )
    assert AuditEvent.objects.filter(action="alerts.label_rule_deleted").count() == 2


def test_every_admin_module_of_alerts_is_there() -> None:
    registered = {
        model._meta.model_name for model in admin.site._registry if model._meta.app_label == "alerts"
    }
    assert registered >= {"alert", "alertrule", "labelrule", "responsetime", "silence", "chatlink"}


def test_alerts_and_silences_are_to_read(supervisor: Client) -> None:
    alert = firing()
    assert "Volatility of TSLA" in supervisor.get(f"{ADMIN}/alert/").content.decode()
    assert supervisor.get(f"{ADMIN}/alert/{alert.pk}/change/").status_code == 200
    assert supervisor.post(f"{ADMIN}/alert/{alert.pk}/change/", {"title": "x"}).status_code == 403
    assert supervisor.get(f"{ADMIN}/silence/").status_code == 200
