"""Settings in the admin and through their service: with a reason, sound in every process, and in the audit trail."""

from typing import Any

import pytest
from django.test import Client

from monitoring.breakers import services
from monitoring.breakers.feed import BreakerFeed
from monitoring.breakers.models import BreakerCommand
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from opsconsole.audit.tuned import ChangedMeanwhile, Refused
from tests.breakers.reporting import CONFIG, Process, a_breaker, row
from tests.cast import ROOT

LIST = "/admin/monitoring/circuitbreaker/"


def signed_in(user: User) -> Client:
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


@pytest.fixture
def process(db: None) -> Process:
    process = Process()
    process.report(a_breaker(own_config=CONFIG | {"window_type": "count", "window_size": 20}), now=None)
    return process


def page() -> str:
    return f"{LIST}{row().pk}/change/"


def filled_in(**values: Any) -> dict[str, Any]:
    given = services.as_values(row()) | {"revision": row().revision, "reason": "It opens too early"}
    return {name: "" if value is None else value for name, value in (given | values).items()}


def test_needs_the_right_to_tune(process: Process, bob: User, alice: User, sam: User) -> None:
    for user in (bob, alice):
        assert signed_in(user).post(page(), filled_in(failure_threshold=9)).status_code == 403
    client = signed_in(sam)
    assert client.post(f"{LIST}add/", filled_in()).status_code == 403
    assert client.post(f"{LIST}{row().pk}/delete/", {"post": "yes"}).status_code == 403
    assert row().failure_threshold is None


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"reason": ""}, "Say why."),
    ({"revision": 7}, "Somebody changed these settings meanwhile"),
    ({"failure_threshold": -1}, "greater than or equal to 0"),
    ({"failure_threshold": 1.5}, "whole number"),
    ({"success_threshold": 0}, "greater than or equal to 1"),
    ({"timeout_seconds": 0}, "greater than or equal to 0.001"),
    ({"timeout_seconds": 604_801}, "less than or equal to 604800"),
    ({"timeout_seconds": "nan"}, "number"),
    ({"timeout_multiplier": 0.5}, "greater than or equal to 1"),
    ({"timeout_jitter": 1.1}, "less than or equal to 1"),
    ({"window_type": "moon"}, "moon"),
    ({"window_size": 100_001}, "less than or equal to 100000"),
    ({"failure_rate_threshold": 101}, "less than or equal to 100"),
    ({"quorum": 1001}, "less than or equal to 1000"),
    (
        {"timeout_seconds": 30, "max_timeout_seconds": 20},
        "max_timeout_seconds must be at least timeout_seconds, 30",
    ),
    # What the process has for the rest.
    ({"max_timeout_seconds": 20}, "max_timeout_seconds must be at least timeout_seconds, 60 (in AAPL)"),
    (
        {"failure_rate_threshold": 50, "minimum_number_of_calls": 21},
        "must be at most window_size, 20 (in AAPL)",
    ),
    ({"slow_call_rate_threshold": 50}, "slow_call_duration_seconds must say what is slow (in AAPL)"),
]


@pytest.mark.parametrize(("values", "words"), WRONG)
def test_refuses_with_words(process: Process, sam: User, values: dict[str, Any], words: str) -> None:
    answer = signed_in(sam).post(page(), filled_in(**values))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert (row().revision, row().version) == (1, 0)


def test_the_service_refuses_what_the_admin_does(process: Process) -> None:
    def tune(**values: Any) -> None:
        services.tune(actor=ROOT, name="yahoo_finance", values=values, reason="")

    with pytest.raises(Refused, match="nonsense: is not a field here; allowed are failure_threshold"):
        tune(nonsense=1)
    with pytest.raises(Refused, match="timeout_seconds: Ensure this value is greater"):
        tune(timeout_seconds=-1)
    with pytest.raises(
        Refused, match=r"max_timeout_seconds must be at least timeout_seconds, 60 \(in AAPL\)"
    ):
        tune(max_timeout_seconds=20)
    with pytest.raises(services.UnknownBreaker):
        services.tune(actor=ROOT, name="nobody's", values={}, reason="")
    with pytest.raises(ChangedMeanwhile):
        services.tune(actor=ROOT, name="yahoo_finance", values={}, reason="", revision=9)


def test_a_change_reaches_processes_and_the_trail(process: Process, sam: User) -> None:
    answer = signed_in(sam).post(
        page(), filled_in(timeout_seconds=5, window_type="time", failure_threshold=0)
    )
    assert answer.status_code == 302
    (told,) = BreakerFeed().read(0).changes["breakers"]  # type: ignore[index]  # a version was given
    assert (told["config"], told["version"]) == (
        {"failure_threshold": 0, "timeout_seconds": 5.0, "window_type": "time"},
        1,
    )
    event = AuditEvent.objects.get(action="breakers.tuned")
    assert (event.actor_name, event.reason, event.object_label) == (
        "sam",
        "It opens too early",
        "yahoo_finance",
    )
    assert ((event.before or {})["timeout_seconds"], (event.after or {})["timeout_seconds"]) == (None, 5.0)
    command = BreakerCommand.objects.get()
    assert [(one.client, one.at) for one in command.processes.all()] == [("AAPL", None)]
    # The settings go back to the process.
    assert (
        signed_in(sam)
        .post(page(), filled_in(timeout_seconds="", window_type="", failure_threshold=""))
        .status_code
        == 302
    )
    assert BreakerFeed().read(None).whole["breakers"][0]["config"] is None


def test_saving_the_same_or_a_comment_tells_no_process(process: Process, sam: User) -> None:
    assert signed_in(sam).post(page(), filled_in()).status_code == 302
    assert row().revision == 1
    assert signed_in(sam).post(page(), filled_in(comment="ask Dana")).status_code == 302
    assert (row().revision, row().version, row().comment) == (2, 0, "ask Dana")
    assert signed_in(sam).get(LIST).status_code == 200
    assert signed_in(sam).get(page()).status_code == 200
