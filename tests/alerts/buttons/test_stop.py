"""The button that stops trading: asked once more, and bound to who was asked."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from alerts.chat.people import ChatPerson
from alerts.choices import ChatAct, ChatKind
from alerts.models import Alert, Channel, ChatButton
from killswitch import services as killswitch
from killswitch.models import Activation, Switch
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alerts.buttons.pressing import linked, pressed, refusals, tokens
from tests.alerts.rows import NOW, firing
from tests.cast import acting

Ask = Callable[[Alert, User], dict[str, str]]


@pytest.fixture
def ask(channel: Channel) -> Ask:
    """Presses Stop trading, and gives the texts of the buttons that ask for the second press, by their labels."""

    def pressed_first(alert: Alert, user: User) -> dict[str, str]:
        answer = pressed(linked(user), tokens(alert, channel)["stop"])
        assert not answer.done
        assert f"{user.username}: stop" in answer.text
        return {button.label: button.token for button in answer.buttons}

    return pressed_first


def test_the_first_press_stops_nothing(alice: User, ask: Ask) -> None:
    asked = ask(firing(labels={"strategy": "momentum"}), alice)
    assert list(asked) == ["Stop strategy:momentum now", "Stop everything now"]
    assert not Activation.objects.exists()
    assert set(ChatButton.objects.exclude(user=None).values_list("user", "act")) == {
        (alice.pk, ChatAct.STOP_SCOPE),
        (alice.pk, ChatAct.STOP_ALL),
    }


@pytest.mark.parametrize(
    ("labels", "scope"),
    [
        ({}, None),
        ({"scope": "global"}, None),
        ({"scope": "what is this"}, None),
        ({"scope": "venue:NYSE", "symbol": "TSLA"}, "venue:NYSE"),
        ({"account": "7", "symbol": "TSLA"}, "symbol:TSLA"),
        ({"symbol": "a b"}, None),
    ],
)
def test_which_stop_is_offered(alice: User, ask: Ask, labels: dict[str, str], scope: str | None) -> None:
    expected = [f"Stop {scope} now"] if scope else []
    assert list(ask(firing(labels=labels), alice)) == [*expected, "Stop everything now"]


def test_the_second_press_stops(alice: User, ask: Ask) -> None:
    alert = firing(labels={"symbol": "TSLA"})
    answer = pressed(ChatPerson(ChatKind.TELEGRAM, "42"), ask(alert, alice)["Stop symbol:TSLA now"])
    assert (answer.done, answer.closes) == (True, True)
    assert "symbol:TSLA is being stopped" in answer.text
    episode = Activation.objects.get()
    assert (episode.scope, episode.reason, episode.mode) == ("symbol:TSLA", "MANUAL", "HALTED")
    assert (episode.activated_by, episode.user) == ("alice via telegram", alice)
    assert alert.title in episode.message
    event = AuditEvent.objects.get(action="killswitch.activated")
    assert (event.actor_name, event.actor_id) == ("alice via telegram", alice.pk)


def test_everything_stops(alice: User, ask: Ask) -> None:
    asked = ask(firing(), alice)
    assert (
        "Everything is being stopped"
        in pressed(ChatPerson(ChatKind.TELEGRAM, "42"), asked["Stop everything now"]).text
    )
    assert Switch.objects.get(scope="global").mode == "HALTED"


def test_only_who_was_asked_confirms(alice: User, sam: User, ask: Ask) -> None:
    asked = ask(firing(), alice)
    answer = pressed(linked(sam, "43"), asked["Stop everything now"])
    assert "Somebody else was asked" in answer.text
    assert not answer.closes
    assert [actor for actor, _ in refusals()] == ["sam via telegram"]
    assert not Activation.objects.exists()


def test_who_lost_the_right_in_between_does_not(alice: User, ask: Ask) -> None:
    asked = ask(firing(), alice)
    alice.groups.clear()
    assert (
        "needs the role operator"
        in pressed(ChatPerson(ChatKind.TELEGRAM, "42"), asked["Stop everything now"]).text
    )
    assert not Activation.objects.exists()


def test_a_confirmation_does_not_last(alice: User, ask: Ask) -> None:
    asked = ask(firing(), alice)
    answer = pressed(
        ChatPerson(ChatKind.TELEGRAM, "42"), asked["Stop everything now"], now=NOW + timedelta(seconds=75)
    )
    assert ("expired" in answer.text, answer.closes) == (True, True)
    assert not Activation.objects.exists()


def test_a_repeat_stops_nothing_that_was_let_go_on(alice: User, sam: User, ask: Ask) -> None:
    """The same press may arrive twice, if the process died before it could say that it had read it."""
    asked = ask(firing(), alice)
    token, person = asked["Stop everything now"], ChatPerson(ChatKind.TELEGRAM, "42")
    pressed(person, token)
    killswitch.deactivate(actor=acting(sam), message="all is well")
    ChatButton.objects.update(used_at=None)
    assert "was stopped already, by alice via telegram" in pressed(person, token).text
    assert Switch.objects.get(scope="global").mode == "ACTIVE"


def test_what_is_stopped_already(alice: User, sam: User, ask: Ask) -> None:
    killswitch.activate(actor=acting(sam), reason="MANUAL", message="")
    asked = ask(firing(), alice)
    answer = pressed(ChatPerson(ChatKind.TELEGRAM, "42"), asked["Stop everything now"])
    assert answer.text == "Everything was stopped already, by sam."
