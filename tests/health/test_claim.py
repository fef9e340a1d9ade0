"""Whoever comes first looks, and nobody twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from monitoring.health.claiming import MARGIN_SECONDS, claim_all, claim_due
from monitoring.health.models import HealthComponent
from tests.health.looking import NOW, at, component, found

ALL = {
    *(
        "redis",
        "database",
        "disk-space",
        "memory",
        "cpu",
        "celery-worker",
        "urgent-worker",
        "beat",
        "outbox",
        "stream-hub",
    ),
    "audit-sealing",
}


pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_due(_django_db_helper: None) -> None:
    HealthComponent.objects.update(due_at=NOW)


def slugs(rows: list[HealthComponent]) -> set[str]:
    return {row.slug for row in rows}


def test_nothing_is_claimed_before_it_is_due() -> None:
    assert claim_due(now=at(-1)) == []


def test_what_is_due_is_claimed_once_until_it_is_due_again() -> None:
    claimed = claim_due(now=NOW, host="a")
    assert slugs(claimed) == ALL
    assert all(row.claim is not None for row in claimed)
    assert claim_due(now=at(9.9), host="a") == []
    assert slugs(claim_due(now=at(10), host="a")) == ALL


@pytest.mark.django_db(transaction=True)
def test_several_that_claim_at_once_never_take_the_same() -> None:
    def claim(_number: int) -> list[str]:
        try:
            return [row.slug for row in claim_due(now=NOW, host="a")]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        taken = [slug for slugs in pool.map(claim, range(8)) for slug in slugs]
    assert sorted(taken) == sorted(ALL)


def test_what_somebody_took_with_him_is_looked_at_by_another() -> None:
    component(interval_seconds=2, budget_seconds=2)
    assert "redis" in slugs(claim_due(now=NOW, host="a"))
    still_his = at(2 + MARGIN_SECONDS)
    assert "redis" not in slugs(claim_due(now=still_his, host="a"))
    assert "redis" in slugs(claim_due(now=still_his + timedelta(milliseconds=1), host="a"))


def test_a_hosts_own_stays_with_the_host_as_long_as_that_lives() -> None:
    disk = component("disk-space", ran_on="a", checked_at=NOW)
    assert "disk-space" not in slugs(claim_due(now=NOW, host="b"))
    # Three intervals later nobody is left there.
    assert "disk-space" in slugs(claim_due(now=at(30.1), host="b"))
    component("memory", host="a")
    assert "memory" not in slugs(claim_due(now=at(60), host="b"))
    assert disk.host == ""


def test_switched_off_and_retired_ones_are_left_alone() -> None:
    component(enabled=False)
    component("database", retired_at=NOW)
    assert slugs(claim_due(now=NOW, host="a")) == ALL - {"redis", "database"}


def test_a_refresh_takes_all_but_what_was_looked_at_just_now() -> None:
    found(component(), "healthy", now=at(4))
    claimed = slugs(claim_all(now=at(5), not_since=NOW, host="a"))
    assert claimed == ALL - {"redis"}
    # Those are being looked at.
    assert slugs(claim_all(now=at(5.1), not_since=at(5), host="a")) == {"redis"}
    assert claim_all(now=at(5.2), not_since=at(5.2), host="a") == []
