"""/alerts/silences: what is silent, a new silence with a look at what it would hold, and its end."""

import pytest
from django.test import Client
from django.utils import timezone

from alerts.models import Silence
from alerts.silences import lines_for, parse_lines
from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from tests.alert_rows import a_silence, an_alert
from tests.pages.browse import Browse
from tests.pages.queries import most_queries

pytestmark = pytest.mark.django_db
URL = "/alerts/silences"
NEW = f"{URL}/new"
FIELDS = {"matchers": 'symbol="IBM"', "hours": "2", "comment": "deploy"}


def test_nobody_signed_in(db: None) -> None:
    for path in (URL, NEW):
        assert Client().get(path).status_code == 302


def test_a_viewer_is_told_who_may(alice: User, bob: User, browse: Browse) -> None:
    silence = a_silence()
    client = browse(bob)
    for path in (NEW, f"{URL}/{silence.pk}/expire"):
        response = client.post(path, FIELDS)
        assert response.status_code == 403
        assert "Silencing needs an operator" in response.content.decode()
    silence.refresh_from_db()
    assert silence.ends_at > timezone.now()
    assert Silence.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("matchers", "", "Say which alerts"),
        ("matchers", "\n \n", "Say which alerts"),
        ("matchers", 'symbol="IBM"\nrubbish', "line 2"),
        ("matchers", 'symbol=~"("', "line 1"),
        ("matchers", 'symbol=~".*"', "empty"),
        ("hours", "5000", "Choose for how long"),
        ("comment", "", "Say why"),
        ("starts", "soon", "Start: give a date"),
    ],
)
def test_fields_that_cannot_be_read(field: str, value: str, why: str, alice: User, browse: Browse) -> None:
    response = browse(alice).post(NEW, {**FIELDS, field: value})
    assert response.status_code == 422
    assert why in response.content.decode()
    assert "Nothing was silenced." in response.content.decode()
    assert not Silence.objects.exists()


def test_a_silence_that_does_not_exist(alice: User, browse: Browse) -> None:
    assert browse(alice).post(f"{URL}/{'0' * 8}-0000-0000-0000-{'0' * 12}/expire").status_code == 404


def test_a_new_one(alice: User, browse: Browse) -> None:
    client = browse(alice)
    text = client.post(NEW, FIELDS, follow=True).content.decode()
    silence = Silence.objects.get()
    assert silence.matchers == [{"name": "symbol", "value": "IBM", "isRegex": False, "isEqual": True}]
    assert (silence.created_by, silence.comment, silence.owner) == ("alice", "deploy", alice)
    assert round((silence.ends_at - silence.starts_at).total_seconds()) == 7200
    assert AuditEvent.objects.get(action="alerts.silence_created").actor_name == "alice"
    assert "Silenced. Nothing that matches is sent until it ends." in text
    assert 'id="undo"' in text
    assert f'id="silence-{silence.pk}"' in text


def test_one_that_starts_later(alice: User, browse: Browse, settings: object) -> None:
    browse(alice).post(NEW, {**FIELDS, "starts": "2999-01-01T10:00"})
    silence = Silence.objects.get()
    assert timezone.localtime(silence.starts_at).isoformat().startswith("2999-01-01T10:00")
    assert "To come" in browse(alice).get(URL).content.decode()


def test_of_an_alert_it_begins_with_its_labels_and_goes_back_to_it(alice: User, browse: Browse) -> None:
    alert = an_alert('A "quoted" title', labels={"symbol": "IBM", "path": "C:\\x"})
    other = an_alert("other")
    client = browse(alice)
    text = client.get(f"{NEW}?alert={alert.pk}").content.decode()
    assert "Silence this alert" in text
    assert f'id="held-{alert.pk}"' in text
    assert f'id="held-{other.pk}"' not in text
    labels = {matcher.name: matcher.value for matcher in parse_lines(lines_for(alert))}
    assert labels == {
        "alertname": 'A "quoted" title',
        "category": "RISK_WARNING",
        "symbol": "IBM",
        "path": "C:\\x",
    }
    fields = {**FIELDS, "alert": str(alert.pk), "next": f"/alerts/{alert.pk}"}
    assert client.post(NEW, fields)["Location"] == f"/alerts/{alert.pk}"


def test_a_look_at_what_it_would_hold(alice: User, browse: Browse) -> None:
    for number in range(12):
        an_alert(f"number {number}")
    aapl = an_alert("other", labels={"symbol": "AAPL"})
    client = browse(alice)
    text = client.get(NEW, {"matchers": 'symbol="IBM"'}).content.decode()
    assert "12 firing" in text
    assert text.count('id="held-') == 20  # ten rows, each with its link
    assert "and 2 more" in text
    assert f'id="held-{aapl.pk}"' in client.get(NEW, {"matchers": 'symbol!="IBM"'}).content.decode()
    assert "No alert that fires now matches" in client.get(NEW, {"matchers": 'symbol="X"'}).content.decode()
    assert not Silence.objects.exists()


def test_active_to_come_and_over(bob: User, browse: Browse) -> None:
    an_alert()
    an_alert("other", labels={"symbol": "AAPL"})
    active, later, over = a_silence(), a_silence(starts_in=1), a_silence(hours=0.01, starts_in=-1)
    text = browse(bob).get(URL).content.decode()
    places = [text.index(f'id="silence-{silence.pk}"') for silence in (active, later, over)]
    assert places == sorted(places)
    assert "holds 1 now" in text
    assert f"{URL}/{active.pk}/expire" in text
    assert f"{URL}/{over.pk}/expire" not in text


def test_end_it(alice: User, browse: Browse) -> None:
    silence = a_silence()
    client = browse(alice)
    assert "The silence has ended." in client.post(f"{URL}/{silence.pk}/expire", follow=True).content.decode()
    silence.refresh_from_db()
    assert silence.ends_at <= timezone.now()
    assert AuditEvent.objects.get(action="alerts.silence_expired").actor_name == "alice"
    assert "It was over already." in client.post(f"{URL}/{silence.pk}/expire", follow=True).content.decode()


def test_the_part_for_htmx_and_few_queries(bob: User, browse: Browse) -> None:
    for _ in range(20):
        a_silence()
        an_alert()
    client = browse(bob)
    with most_queries(12):
        html = client.get(URL, headers={"HX-Request": "true"}).content.decode()
    assert html.startswith('<hx-partial hx-target="#silences">')
