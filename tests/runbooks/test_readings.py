"""What a step that looks shows: every value, known and unknown, and to whom."""

import pytest
from django.utils import timezone

from killswitch import services as killswitch
from killswitch.choices import Reason
from monitoring.health.choices import Status
from monitoring.health.models import HealthComponent
from opsconsole.accounts.models import User
from opsconsole.runbooks import readings
from opsconsole.runbooks.choices import Read
from tests.breakers.reporting import Process, a_breaker
from tests.cast import acting
from tests.desk import Desk

pytestmark = pytest.mark.django_db
WHICH = {Read.BREAKER: "yahoo_finance", Read.COMPONENT: "redis"}


def look(what: Read, user: User) -> readings.Reading:
    return readings.reading(what, WHICH.get(what, ""), user=user, now=timezone.now())


@pytest.mark.parametrize(
    ("what", "word", "tone"),
    [
        (Read.COST, "unknown", readings.WARN),
        (Read.KILL_SWITCH, "trading", readings.WELL),
        (Read.CLIENTS, "none is connected", readings.WARN),
        (Read.BREAKER, "unknown", readings.WARN),
        (Read.BREAKERS, "none is known", readings.WARN),
        (Read.HEALTH, "healthy", readings.WELL),
        (Read.COMPONENT, "unknown", readings.WARN),
        (Read.SYSTEM, "degraded", readings.WARN),
        (Read.ALERTS, "nobody is needed", readings.WELL),
    ],
)
def test_where_nothing_is_known(what: Read, word: str, tone: str, bob: User) -> None:
    # As on a console that was installed just now.
    HealthComponent.objects.update(due_at=timezone.now())
    found = look(what, bob)
    assert (found.word, found.tone, bool(found.text)) == (word, tone, True)


def test_what_the_reader_may_not_see(charlie: User) -> None:
    hidden = {what for what in Read if look(what, charlie).word == "not shown"}
    assert hidden == {
        *(Read.COST, Read.BREAKER, Read.BREAKERS, Read.HEALTH, Read.COMPONENT, Read.SYSTEM),
    }


def test_where_much_is_wrong(alice: User, desk: Desk) -> None:
    process = Process()
    process.opens(now=None)
    process.report(a_breaker("yahoo_finance", "OPEN"), a_breaker("sec_edgar"), now=None)
    killswitch.activate(actor=acting(alice), reason=Reason.API_FAILURE, message="")
    HealthComponent.objects.filter(slug="redis").update(
        status=Status.UNHEALTHY, checked_at=timezone.now(), message="Connection refused"
    )
    desk.report("AAPL", states={"override": {"active": True, "message": "by hand"}})
    found = {what: look(what, alice) for what in Read}
    assert found[Read.BREAKER].word.startswith("open since ")
    assert (found[Read.BREAKERS].word, found[Read.BREAKERS].text) == ("1 of 2 open", "yahoo_finance")
    assert found[Read.KILL_SWITCH].text.startswith("global HALTED since ")
    assert found[Read.KILL_SWITCH].text.endswith(" by alice, API_FAILURE")
    assert "redis" in found[Read.HEALTH].text.casefold()
    assert (found[Read.COMPONENT].word, found[Read.SYSTEM].word) == ("unhealthy", "halted")
    assert [what for what in Read if not found[what].url] == []
    bad = {what for what in Read if found[what].tone == readings.BAD}
    assert bad >= {Read.KILL_SWITCH, Read.BREAKER, Read.BREAKERS, Read.HEALTH, Read.COMPONENT, Read.SYSTEM}
