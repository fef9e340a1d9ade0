"""Thresholds and targets in the admin and through their service: with a reason, sound, in the audit trail, without secrets."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alerts.sealing import unseal
from monitoring.health import services
from monitoring.health.building import check_of
from monitoring.health.choices import Kind
from monitoring.health.claiming import claim_due
from monitoring.health.models import HealthComponent
from monitoring.health.values import FIELDS
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from opsconsole.audit.tuned import ChangedMeanwhile, Refused
from tests.cast import ROOT
from tests.health.looking import at, component, found, submitted

LIST = "/admin/monitoring/healthcomponent/"
TARGET: dict[str, Any] = {
    "name": "Price service",
    "kind": "http",
    "setting_url": "https://prices.example.com/hidden-path?key=hidden-key",
    "authorization": "Bearer hush",
}


def signed_in(user: User) -> Client:
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def filled_in(row: HealthComponent | None = None, **values: Any) -> dict[str, Any]:
    """The form as it is shown, with these values changed."""
    shown = row or HealthComponent(interval_seconds=30, budget_seconds=5)
    given = {name: getattr(shown, name) for name in FIELDS}
    given |= {"version": shown.version, "reason": "The desk has grown"} | values
    return {name: "on" if value is True else value for name, value in given.items() if value is not False}


def page_of(row: HealthComponent) -> str:
    return f"{LIST}{row.pk}/change/"


@pytest.fixture
def redis(db: None) -> HealthComponent:
    return component()


def test_needs_the_right_to_tune(bob: User, alice: User, redis: HealthComponent) -> None:
    for user in (bob, alice):
        client = signed_in(user)
        assert client.post(page_of(redis), filled_in(redis, failures=9)).status_code == 403
        assert client.post(f"{LIST}add/", filled_in(**TARGET)).status_code == 403
    redis.refresh_from_db()
    assert redis.failures == 2


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"reason": ""}, "Say why."),
    ({"version": 7}, "Somebody changed this health component meanwhile"),
    ({"interval_seconds": 1}, "greater than or equal to 2"),
    ({"budget_seconds": 11}, "must not be longer than the interval"),
    ({"failures": 0}, "1"),
    ({"priority": "URGENT"}, "URGENT"),
    ({"setting_degraded_pct": 101}, "100"),
    ({"setting_degraded_pct": 96}, "must not be less than degraded_pct"),
    ({"setting_unhealthy_ms": 50}, "must not be less than degraded_ms"),
]


@pytest.mark.parametrize(("values", "words"), WRONG)
def test_refuses_with_words(sam: User, redis: HealthComponent, values: dict[str, Any], words: str) -> None:
    answer = signed_in(sam).post(page_of(redis), filled_in(redis, **values))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    redis.refresh_from_db()
    assert redis.version == 1


WRONG_TARGETS: list[tuple[dict[str, Any], str]] = [
    ({"name": "Redis"}, "There is a component of this name."),
    ({"name": "—"}, "letter or digit"),
    ({"setting_url": ""}, "must be given"),
    ({"setting_url": "ftp://a.example"}, "must be an address such as"),
    ({"setting_url": "https://sam:hush@a.example/"}, "must not hold a user or password"),
    ({"setting_status_to": 100}, "must not be less than status_from"),
    ({"kind": "tcp"}, "is not a setting of this kind"),
    ({"kind": "redis"}, "redis"),
    ({"kind": "disk", "setting_url": "", "authorization": ""}, "Name it"),
    ({"authorization": "Bearer ünsafe"}, "Printable ASCII"),
]


@pytest.mark.parametrize(("values", "words"), WRONG_TARGETS)
def test_refuses_a_target_with_words(sam: User, values: dict[str, Any], words: str) -> None:
    answer = signed_in(sam).post(f"{LIST}add/", filled_in(**TARGET | values))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert HealthComponent.objects.count() == 11


def test_the_service_refuses_what_the_admin_does(redis: HealthComponent) -> None:
    change: dict[str, Any] = {"actor": ROOT, "component_id": redis.pk, "reason": ""}
    with pytest.raises(Refused, match="nonsense: is not a field here"):
        services.change(**change, values={"nonsense": 1})
    with pytest.raises(Refused, match="degraded_ms: must be a number from 1 to 60000"):
        services.change(**change, values={}, settings={"degraded_ms": True})
    with pytest.raises(Refused, match="budget_seconds: must not be longer"):
        services.change(**change, values={"budget_seconds": 60.0})
    with pytest.raises(ChangedMeanwhile):
        services.change(**change, values={"failures": 3}, version=9)
    with pytest.raises(Refused, match="only what was added can be removed"):
        services.remove(actor=ROOT, component_id=redis.pk, reason="")
    worker = component("urgent-worker")
    with pytest.raises(Refused, match="queue: says what the component is"):
        services.change(
            actor=ROOT, component_id=worker.pk, values={}, settings={"queue": "default"}, reason=""
        )
    with pytest.raises(Refused, match="kind: must be one of http, tcp, certificate, disk"):
        services.add(actor=ROOT, kind=Kind.REDIS, name="x", values={}, settings={}, reason="")


def test_a_threshold_is_in_the_trail_and_counts(sam: User, redis: HealthComponent) -> None:
    for seconds in (0, 1, 2):
        found(redis, "unhealthy", now=at(seconds))
    values = filled_in(redis, failures=3, setting_degraded_ms=250, setting_unhealthy_ms="")
    assert signed_in(sam).post(page_of(redis), values).status_code == 302
    redis.refresh_from_db()
    assert (redis.failures, redis.settings, redis.version, redis.updated_by) == (
        3,
        {"degraded_ms": 250},
        2,
        "sam",
    )
    event = AuditEvent.objects.get(action="health.changed_settings")
    assert event.before is not None
    assert event.after is not None
    assert (event.actor_name, event.reason, event.object_label) == ("sam", "The desk has grown", "Redis")
    assert (event.before["settings"], event.after["settings"]) == ({}, {"degraded_ms": 250})
    # Judging begins anew: what was told is over.
    assert (redis.told, redis.well, redis.up) == ("", 0, 0)
    assert submitted()[-1] == ("Redis is unhealthy", "CRITICAL", True)
    assert check_of(redis).degraded_ms == 250  # type: ignore[attr-defined]  # of its kind
    assert signed_in(sam).post(page_of(redis), filled_in(redis, setting_degraded_ms=250)).status_code == 302
    assert AuditEvent.objects.filter(action="health.changed_settings").count() == 1


def test_what_is_looked_at_in_another_way_is_looked_at_at_once(redis: HealthComponent) -> None:
    usual: dict[str, Any] = {
        "actor": ROOT,
        "component_id": redis.pk,
        "values": {},
        "reason": "",
        "now": at(0),
    }

    def changed(**what: Any) -> HealthComponent:
        HealthComponent.objects.filter(pk=redis.pk).update(due_at=at(900))
        return services.change(**usual | what)[0]

    assert changed(values={"failures": 5}).due_at == at(10)
    assert changed(values={"interval_seconds": 60}).due_at == at(60)
    assert changed(settings={"degraded_ms": 50}).due_at == at(0)
    changed(values={"enabled": False})
    # Nobody could look at it while it was off.
    again = changed(values={"enabled": True}, now=at(10_000))
    assert not again.is_stale(now=at(10_000) + timedelta(seconds=60))


def test_what_is_switched_off_is_unknown_and_told_no_more(redis: HealthComponent) -> None:
    for seconds in (0, 1):
        found(redis, "unhealthy", now=at(seconds))
    redis, _ = services.change(
        actor=ROOT, component_id=redis.pk, values={"enabled": False}, reason="moving", now=at(2)
    )
    assert (redis.status, redis.told, redis.checked_at) == ("unknown", "", None)
    assert submitted()[-1][2] is True


def test_a_target_comes_and_goes(sam: User) -> None:
    client = signed_in(sam)
    assert client.post(f"{LIST}add/", filled_in(**TARGET)).status_code == 302
    row = HealthComponent.objects.get(slug="price-service")
    assert (row.kind, row.essential, row.settings) == ("http", False, {"url": TARGET["setting_url"]})
    assert unseal(row.secrets) == {"authorization": "Bearer hush"}
    assert "hush" not in row.secrets
    assert "hush" not in client.get(page_of(row)).content.decode()
    # An empty header stays as it is.
    assert client.post(page_of(row), filled_in(row, setting_url="https://b.example/")).status_code == 302
    row.refresh_from_db()
    assert unseal(row.secrets) == {"authorization": "Bearer hush"}
    dropped = filled_in(row, setting_url="https://b.example/", drop_authorization=True)
    assert client.post(page_of(row), dropped).status_code == 302
    row.refresh_from_db()
    assert row.secrets == ""
    for seconds in (0, 1):
        found(row, "unhealthy", now=at(seconds))
    assert client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not HealthComponent.objects.filter(slug="price-service").exists()
    assert submitted()[-1] == ("Price service is unhealthy", "HIGH", True)
    actions = AuditEvent.objects.filter(action__in=("health.added", "health.removed")).values_list(
        "action", flat=True
    )
    assert set(actions) == {"health.added", "health.removed"}


def test_the_trail_has_no_more_of_an_address_than_its_host(sam: User) -> None:
    client = signed_in(sam)
    client.post(f"{LIST}add/", filled_in(**TARGET))
    row = HealthComponent.objects.get(slug="price-service")
    other = "https://prices.example.com/hidden-other"
    assert client.post(page_of(row), filled_in(row, setting_url=other)).status_code == 302
    client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    events = list(AuditEvent.objects.filter(action__startswith="health.").order_by("pk"))
    assert [(event.action, event.metadata) for event in events] == [
        ("health.added", {}),
        ("health.changed_settings", {"url": "changed"}),
        ("health.removed", {}),
    ]
    text = json.dumps([(event.before, event.after, event.metadata) for event in events])
    assert "https://prices.example.com/" in text
    assert "hidden" not in text
    assert "hush" not in text


def test_a_further_host(sam: User) -> None:
    disk: dict[str, Any] = {
        "name": "Disk of web-2",
        "kind": "disk",
        "host": "web-2",
        "setting_degraded_pct": 70,
    }
    client = signed_in(sam)
    assert client.post(f"{LIST}add/", filled_in(**disk)).status_code == 302
    row = HealthComponent.objects.get(slug="disk-of-web-2")
    assert (row.kind, row.host, row.settings) == ("disk", "web-2", {"degraded_pct": 70})
    assert "disk-of-web-2" not in {one.slug for one in claim_due(now=timezone.now(), host="web-1")}
    assert "disk-of-web-2" in {one.slug for one in claim_due(now=timezone.now(), host="web-2")}
    assert client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert client.post(f"{LIST}{component('memory').pk}/delete/", {"post": "yes"}).status_code == 403
