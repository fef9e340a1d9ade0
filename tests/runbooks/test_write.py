"""Writing runbooks, in the admin and through their service: sound, with a reason, and in the audit trail with before and after."""

from typing import Any

import pytest
from django.test import Client

from opsconsole.accounts.models import User
from opsconsole.audit.models import AuditEvent
from opsconsole.audit.tuned import ChangedMeanwhile, Refused
from opsconsole.runbooks import services
from opsconsole.runbooks.models import Runbook, RunbookStep
from opsconsole.runbooks.text import as_html
from tests.cast import ROOT
from tests.runbooks.rows import COST

pytestmark = pytest.mark.django_db
LIST = "/admin/runbooks/runbook/"
STEP: dict[str, Any] = {"kind": "confirm", "title": "Do it"}


@pytest.fixture
def runbook(db: None) -> Runbook:
    return Runbook.objects.get(slug=COST)


def signed_in(user: User) -> Client:
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def filled_in(runbook: Runbook | None, *steps: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The form as it is shown, with these values changed, and with these steps if any are given."""
    given: dict[str, Any] = {
        "reason": "Simpler",
        "version": runbook.version if runbook else 1,
        "matchers": "",
    }
    if runbook is not None:
        given |= {name: getattr(runbook, name) for name in ("name", "slug", "summary", "category")}
    old = list(runbook.steps.all()) if runbook is not None else []
    shown = list(steps) or [
        {name: getattr(step, name) for name in ("id", "position", *services_fields())} for step in old
    ]
    given |= {
        "enabled": "on",
        "steps-TOTAL_FORMS": len(shown),
        "steps-INITIAL_FORMS": sum("id" in step for step in shown),
    }
    for number, step in enumerate(shown):
        given |= {
            f"steps-{number}-{name}": value for name, value in ({"position": number + 1} | step).items()
        }
    return {name: "" if value is None else value for name, value in (given | values).items()}


def services_fields() -> tuple[str, ...]:
    return ("kind", "title", "text", "what", "target", "stop_reason", "command")


def test_needs_the_right_to_write(bob: User, alice: User, runbook: Runbook) -> None:
    for user in (bob, alice):
        client = signed_in(user)
        assert client.post(f"{LIST}{runbook.pk}/change/", filled_in(runbook, name="Mine")).status_code == 403
        assert client.post(f"{LIST}add/", filled_in(None, STEP, name="Mine", slug="mine")).status_code == 403
        assert client.post(f"{LIST}{runbook.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Runbook.objects.get(pk=runbook.pk).name == "High API Costs"


WRONG: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"reason": ""}, {}, "Say why."),
    ({"version": 7}, {}, "Somebody changed this runbook meanwhile"),
    ({"matchers": "breaker"}, {}, "line 1"),
    ({"matchers": 'breaker=~"("'}, {}, "line 1"),
    ({}, {"kind": "read", "what": "stop"}, "must be one of cost, kill_switch"),
    ({}, {"kind": "press", "what": ""}, "must be one of stop, rearm"),
    ({}, {"kind": "confirm", "what": "cost"}, "must be empty for Do"),
    ({}, {"kind": "read", "what": "breaker"}, "must say of what"),
    ({}, {"kind": "read", "what": "cost", "target": "x"}, "this is of no single thing"),
    ({}, {"kind": "press", "what": "stop", "target": "everything"}, "must be global, or one of"),
    ({}, {"kind": "command", "command": ""}, "must say what to type"),
    ({}, {"title": "At {{console}}"}, "only a command can name"),
    ({}, {"stop_reason": "MANUAL"}, "only a stop has one"),
]


@pytest.mark.parametrize(("values", "step", "why"), WRONG)
def test_what_is_not_sound(
    values: dict[str, Any], step: dict[str, Any], why: str, sam: User, runbook: Runbook
) -> None:
    answer = signed_in(sam).post(f"{LIST}{runbook.pk}/change/", filled_in(runbook, STEP | step, **values))
    assert answer.status_code == 200
    assert why in answer.content.decode().replace("&#x27;", "'")
    assert Runbook.objects.get(pk=runbook.pk).version == 1
    assert not AuditEvent.objects.filter(action__startswith="runbooks.").exists()


def test_the_service_refuses_what_the_admin_does(runbook: Runbook) -> None:
    for values, steps, why in (
        ({"nonsense": 1}, [STEP], "nonsense: is not a field here"),
        ({}, [], "steps: must be 1 to 30"),
        ({}, [STEP | {"nonsense": 1}], r"steps\[0\].nonsense: is not a field here"),
        ({}, [STEP, STEP | {"title": ""}], r"steps\[1\].title"),
        ({"matchers": [{"name": "x"}]}, [STEP], "matchers"),
        ({"slug": "system-degraded"}, [STEP], "slug"),
        ({}, [STEP | {"text": " ".join(f"{{{{a{n}}}}}" for n in range(6))}], "at most 5 values"),
    ):
        with pytest.raises(Refused, match=why):
            services.change(actor=ROOT, runbook_id=runbook.pk, values=values, steps=steps, reason="")
    with pytest.raises(ChangedMeanwhile):
        services.change(actor=ROOT, runbook_id=runbook.pk, values={}, steps=[STEP], reason="", version=9)


def test_the_runbooks_of_the_guide_are_sound() -> None:
    for runbook in Runbook.objects.all():
        values = services.as_values(runbook)
        steps = [values[name] for name in values if name.startswith("step ")]
        _, changed = services.change(actor=ROOT, runbook_id=runbook.pk, values={}, steps=steps, reason="")
        assert (runbook.name, changed) == (runbook.name, False)
    assert Runbook.objects.count() == 5


def test_a_change_is_one_event_with_before_and_after(sam: User, runbook: Runbook) -> None:
    first = {"kind": "read", "title": "Look", "what": "cost"}
    second = {"kind": "confirm", "title": "Mend it"}
    # The order is that of the positions.
    answer = signed_in(sam).post(
        f"{LIST}{runbook.pk}/change/",
        filled_in(
            runbook,
            second | {"position": 7},
            first | {"position": 3},
            matchers='model=~"claude.*"\nteam!="test"',
        ),
    )
    assert answer.status_code == 302
    found = Runbook.objects.get(pk=runbook.pk)
    assert (found.version, found.updated_by, [matcher["name"] for matcher in found.matchers]) == (
        2,
        "sam",
        ["model", "team"],
    )
    assert [str(step) for step in found.steps.all()] == ["1. Look", "2. Mend it"]
    event = AuditEvent.objects.get(action__startswith="runbooks.")
    assert (event.action, event.actor_name, event.reason) == ("runbooks.changed", "sam", "Simpler")
    assert event.before is not None
    assert event.after is not None
    assert event.before["step 1"]["title"] == "Check current costs"
    assert event.after["step 1"] == first
    assert "step 3" not in event.after


def test_the_form_as_it_is_shown_changes_nothing(sam: User, runbook: Runbook) -> None:
    client = signed_in(sam)
    shown = client.get(f"{LIST}{runbook.pk}/change/")
    assert shown.status_code == 200
    # With the empty form for one more step, as it is on the page.
    count = runbook.steps.count()
    empty = {f"steps-{count}-kind": "", f"steps-{count}-title": "", f"steps-{count}-position": ""}
    answer = client.post(
        f"{LIST}{runbook.pk}/change/",
        filled_in(runbook) | {"steps-TOTAL_FORMS": count + 1} | empty,
        follow=True,
    )
    assert "Nothing was changed." in answer.content.decode()
    assert not AuditEvent.objects.filter(action__startswith="runbooks.").exists()
    assert RunbookStep.objects.filter(runbook=runbook).count() == count


def test_a_new_one_and_its_end(sam: User) -> None:
    client = signed_in(sam)
    fields = filled_in(None, STEP, name="Feed Late", slug="feed-late", matchers='feed=~".+"')
    assert client.post(f"{LIST}add/", fields).status_code == 302
    made = Runbook.objects.get(slug="feed-late")
    assert [str(step) for step in made.steps.all()] == ["1. Do it"]
    assert client.post(f"{LIST}{made.pk}/delete/", {"post": "yes"}).status_code == 302
    events = AuditEvent.objects.filter(action__startswith="runbooks.").order_by("pk")
    assert list(events.values_list("action", flat=True)) == ["runbooks.created", "runbooks.deleted"]
    assert events[1].before is not None
    assert events[1].before["step 1"] == STEP


def test_texts_are_a_little_markdown_and_no_more() -> None:
    text = "a `b <i>` **c**\nd\n\n- e\n- <b>f</b>\n```\n{{x}} `no` <s>\n\n- g\n```\n<script>[l](javascript:x)"
    assert as_html(text) == (
        "<p>a <code>b &lt;i&gt;</code> <b>c</b> d</p><ul><li>e</li><li>&lt;b&gt;f&lt;/b&gt;</li></ul>"
        '<pre class="oc-code-block"><code>{{x}} `no` &lt;s&gt;\n\n- g</code></pre>'
        "<p>&lt;script&gt;[l](javascript:x)</p>"
    )
