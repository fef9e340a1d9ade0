"""/alerts/silences/…/extend: another end for a silence, seen before it is saved."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from alerts.models import Silence
from alerts.services import silencing
from alerts.silence_ends import ends_of, exactly
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alert_rows import a_silence
from tests.cast import acting
from tests.pages.browse import Browse

pytestmark = pytest.mark.django_db
URL = "/alerts/silences"


def address(silence: Silence) -> str:
    return f"{URL}/{silence.pk}/extend"


def fields(silence: Silence, **values: str) -> dict[str, str]:
    return {"end": "4", "reason": "The deploy takes longer", "was": exactly(silence.ends_at)} | values


def local(moment: datetime) -> str:
    """As a browser's field for date and time sends it."""
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}"


def unchanged(silence: Silence) -> bool:
    same = Silence.objects.get(pk=silence.pk).ends_at == silence.ends_at
    return same and not AuditEvent.objects.filter(action="alerts.silence_updated").exists()


def test_nobody_signed_in() -> None:
    silence = a_silence()
    assert Client().get(address(silence)).status_code == 302
    assert Client().post(address(silence), fields(silence)).status_code == 302
    assert unchanged(silence)


def test_a_viewer_is_told_who_may(alice: User, bob: User, browse: Browse) -> None:
    silence = a_silence()
    response = browse(bob).post(address(silence), fields(silence))
    assert response.status_code == 403
    assert "Silencing needs an operator" in response.content.decode()
    assert unchanged(silence)


def test_a_silence_that_does_not_exist(alice: User, browse: Browse) -> None:
    missing = f"{URL}/{'0' * 8}-0000-0000-0000-{'0' * 12}/extend"
    assert browse(alice).get(missing).status_code == 404
    assert browse(alice).post(missing, {}).status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_one_that_is_over(method: str, alice: User, browse: Browse) -> None:
    silence = a_silence(hours=0.5, starts_in=-1)
    client = browse(alice)
    response = getattr(client, method)(address(silence), fields(silence), follow=True)
    assert response.redirect_chain == [(URL, 303)]
    assert "that silence is over. Make a new one." in response.content.decode()
    assert unchanged(silence)
    in_place = getattr(client, method)(address(silence), fields(silence), headers={"HX-Request": "true"})
    assert in_place.status_code == 409


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"end": ""}, "Choose when it ends"),
        ({"end": "1000"}, "Choose one of the ends"),
        ({"end": "at"}, "Give the date and the time"),
        ({"end": "at", "at": "soon"}, "Give a date and a time such as"),
        ({"end": "at", "at": "2001-01-01T08:00"}, "The end must lie after the start"),
        ({"end": "at", "at": "2999-01-01T08:00"}, "more than 365 days away"),
        ({"end": "at", "at": "99999-01-01T08:00"}, "Give a date and a time such as"),
        ({"reason": ""}, "Say why"),
        ({"reason": "x" * 2001}, "2000 characters or less"),
        ({"reason": "bell \x07"}, "The reason must not have control characters"),
        ({"was": ""}, "Open the form again"),
        ({"was": "then"}, "Open the form again"),
    ],
)
def test_what_cannot_be_an_end(values: dict[str, str], why: str, alice: User, browse: Browse) -> None:
    silence = a_silence()
    response = browse(alice).post(address(silence), fields(silence, **values))
    assert response.status_code == 422
    text = response.content.decode()
    assert why in text
    assert "Nothing was changed." in text
    assert unchanged(silence)


def test_an_end_that_has_passed(alice: User, browse: Browse) -> None:
    silence = a_silence(starts_in=-2, hours=3)
    earlier = local(timezone.now() - timedelta(hours=1))
    response = browse(alice).post(address(silence), fields(silence, end="at", at=earlier))
    assert response.status_code == 422
    assert "The end can&#x27;t be in the past." in response.content.decode()
    assert unchanged(silence)


def test_one_that_somebody_else_has_changed_meanwhile(alice: User, sam: User, browse: Browse) -> None:
    silence = a_silence()
    later = silence.ends_at + timedelta(hours=24)
    silencing.change_end(
        actor=acting(sam), silence_id=silence.pk, ends_at=later, was=silence.ends_at, reason="Over night"
    )
    client = browse(alice)
    response = client.post(address(silence), fields(silence))
    text = response.content.decode()
    assert response.status_code == 422
    assert "Somebody changed its end meanwhile." in text
    assert Silence.objects.get(pk=silence.pk).ends_at == later
    # The form has the end as it is now, so a second press means it.
    assert f'name="was" value="{exactly(later)}"' in text
    silence.refresh_from_db()
    assert client.post(address(silence), fields(silence)).status_code == 303


def test_the_form_shows_the_old_end_and_each_new_one(alice: User, browse: Browse) -> None:
    silence = a_silence()
    text = browse(alice).get(address(silence)).content.decode()
    shown = re.findall(r'<time datetime="([^"]+)"', text[text.index('id="h-extend"') :])
    wanted = [
        silence.ends_at,
        *(end.ends_at for end in ends_of(silence, now=timezone.now())),
    ]
    assert [datetime.fromisoformat(moment) for moment in shown[: len(wanted)]] == wanted
    assert unchanged(silence)


def test_longer_keeps_the_id_and_is_recorded_with_before_and_after(alice: User, browse: Browse) -> None:
    silence = a_silence(owner=alice, created_by="alice")
    response = browse(alice).post(address(silence), fields(silence), follow=True)
    after = Silence.objects.get()
    assert response.redirect_chain == [(f"{URL}#silence-{silence.pk}", 303)]
    assert (after.pk, after.ends_at) == (silence.pk, silence.ends_at + timedelta(hours=4))
    assert (after.comment, after.created_by, after.matchers) == ("deploy", "alice", silence.matchers)
    event = AuditEvent.objects.get(action="alerts.silence_updated")
    assert (event.actor_name, event.reason) == ("alice", "The deploy takes longer")
    assert event.before is not None
    assert event.after is not None
    ends = [datetime.fromisoformat(facts["ends_at"]) for facts in (event.before, event.after)]
    assert [end - ends[0] for end in ends] == [timedelta(0), timedelta(hours=4)]
    assert abs(ends[0] - silence.ends_at) < timedelta(milliseconds=1)
    assert re.search(r"The silence ends at [^.]+ now\. Before: [^.]+\.", response.content.decode())


def test_sooner(alice: User, browse: Browse) -> None:
    silence = a_silence(hours=24)
    sooner = timezone.now().replace(second=0, microsecond=0) + timedelta(minutes=90)
    browse(alice).post(address(silence), fields(silence, end="at", at=local(sooner)))
    assert Silence.objects.get().ends_at == sooner


def test_until_tomorrow_morning_of_the_desk(alice: User, browse: Browse) -> None:
    silence = a_silence()
    browse(alice).post(address(silence), fields(silence, end="morning"))
    end = timezone.localtime(Silence.objects.get().ends_at)
    assert (end.hour, end.minute) == (8, 0)
    assert end.date() == timezone.localdate() + timedelta(days=1)


def test_one_that_is_still_to_come(alice: User, browse: Browse) -> None:
    silence = a_silence(starts_in=72)
    assert [end.value for end in ends_of(silence, now=timezone.now())] == ["1", "4", "24"]
    browse(alice).post(address(silence), fields(silence, end="1"))
    after = Silence.objects.get()
    assert (after.starts_at, after.ends_at) == (silence.starts_at, silence.ends_at + timedelta(hours=1))


def test_the_same_end_changes_nothing_and_says_so(alice: User, browse: Browse) -> None:
    silence = a_silence()
    Silence.objects.update(ends_at=silence.ends_at.replace(second=0, microsecond=0))
    silence.refresh_from_db()
    same = fields(silence, end="at", at=local(silence.ends_at))
    response = browse(alice).post(address(silence), same, follow=True)
    assert "Nothing has changed" in response.content.decode()
    assert unchanged(silence)


def test_in_place_the_form_alone_then_the_parts_that_changed(alice: User, browse: Browse) -> None:
    silence = a_silence()
    client = browse(alice)
    asked = client.get(address(silence), headers={"HX-Request": "true"}).content.decode()
    assert asked.startswith('<hx-partial hx-target="#silence-extend">')
    bad = client.post(address(silence), fields(silence, reason=""), headers={"HX-Request": "true"})
    assert bad.status_code == 422
    assert bad.content.decode().startswith('<hx-partial hx-target="#silence-extend">')
    done = client.post(address(silence), fields(silence), headers={"HX-Request": "true"})
    targets = re.findall(r'<hx-partial hx-target="#([^"]+)">', done.content.decode())
    assert (done.status_code, targets) == (200, ["alerts-said", "silences", "silence-extend"])
    assert Silence.objects.get().ends_at == silence.ends_at + timedelta(hours=4)


def test_offered_for_what_is_active_or_to_come(bob: User, browse: Browse) -> None:
    active, later, over = a_silence(), a_silence(starts_in=1), a_silence(hours=0.01, starts_in=-1)
    text = browse(bob).get(URL).content.decode()
    assert address(active) in text
    assert address(later) in text
    assert address(over) not in text
