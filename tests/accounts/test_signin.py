"""Failed sign-ins slow further ones down, and nobody can lock somebody else out."""

from datetime import UTC, datetime, timedelta

from opsconsole.accounts.models import SignInThrottle, User
from opsconsole.accounts.signin import (
    ADDRESS_FREE,
    FORGET_AFTER,
    LONGEST_WAIT,
    PAIR_FREE,
    record_failed_sign_in,
    record_sign_in,
    record_sign_out,
    sign_in_allowed,
)
from opsconsole.audit.models import AuditEvent
from tests.cast import acting

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
HERE = "192.0.2.7"


def fail(times: int, *, username: str = "alice", ip: str = HERE, now: datetime = NOW) -> None:
    for _ in range(times):
        record_failed_sign_in(username=username, ip=ip, now=now)


def test_waits_longer_with_each_failure(alice: User) -> None:
    fail(PAIR_FREE - 1)
    assert sign_in_allowed(username="alice", ip=HERE, now=NOW).allowed
    waits = []
    for _ in range(3):
        fail(1)
        waits.append(sign_in_allowed(username="ALICE", ip=HERE, now=NOW).wait_s)
    assert waits == [1, 2, 4]
    assert sign_in_allowed(username="alice", ip=HERE, now=NOW + timedelta(seconds=4)).allowed


def test_the_wait_has_an_end(alice: User) -> None:
    fail(60)
    check = sign_in_allowed(username="alice", ip=HERE, now=NOW)
    assert (check.allowed, check.wait_s) == (False, LONGEST_WAIT.total_seconds())


def test_an_address_waits_too_whatever_names_it_tries(db: None) -> None:
    for number in range(ADDRESS_FREE):
        fail(1, username=f"guess{number}")
    assert not sign_in_allowed(username="alice", ip=HERE, now=NOW).allowed


def test_a_stranger_elsewhere_locks_nobody_out(alice: User) -> None:
    fail(60, ip="198.51.100.1")
    assert sign_in_allowed(username="alice", ip=HERE, now=NOW).allowed


def test_the_count_starts_again_after_a_while(alice: User) -> None:
    fail(60)
    later = NOW + FORGET_AFTER + timedelta(seconds=1)
    fail(1, now=later)
    assert sign_in_allowed(username="alice", ip=HERE, now=later).allowed


def test_a_success_clears_the_count_and_is_recorded(alice: User) -> None:
    fail(PAIR_FREE)
    record_sign_in(user=alice, actor=acting(alice), now=NOW)
    assert sign_in_allowed(username="alice", ip=HERE, now=NOW).allowed
    record_sign_out(user=alice, actor=acting(alice), now=NOW)
    done = [event.action for event in AuditEvent.objects.order_by("-id")[:2]]
    assert done == ["accounts.signed_out", "accounts.signed_in"]


def test_a_failure_is_recorded_without_what_may_be_a_password(alice: User) -> None:
    fail(1)
    fail(1, username="hunter2")
    names = [
        event.actor_name
        for event in AuditEvent.objects.filter(action="accounts.sign_in_failed").order_by("id")
    ]
    assert names == ["alice", "unknown account"]
    assert "hunter2" not in str(list(SignInThrottle.objects.values())) + str(
        list(AuditEvent.objects.values())
    )
