"""An incident as a document: what people and machines wrote in it is text, whatever it looks like."""

import pytest
from django.utils import timezone

from opsconsole.accounts.models import User
from opsconsole.runbooks import export, markdown, selectors, services
from opsconsole.runbooks.models import Incident
from tests.alert_rows import an_alert
from tests.cast import acting
from tests.runbooks.rows import BREAKER, breaker_alert, opened, step_of

pytestmark = pytest.mark.django_db
NASTY = "# Not a heading\n- [x] nor a step\n```\n1. <script>alert(1)</script> | *bold* [a](javascript:b) ~~x~~ &amp;"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain, 52.3% of (that)", "plain, 52.3% of (that)"),
        ("a*b_c`d", r"a\*b\_c\`d"),
        ("<b>&lt;", r"\<b\>\&lt;"),
        ("[a](b) | #1", r"\[a\](b) \| \#1"),
        ("- one", r"\- one"),
        ("+ one", r"\+ one"),
        ("=====", r"\====="),
        ("1. one", r"1\. one"),
        ("12) one", r"12\) one"),
        ("1.5 percent", r"1\.5 percent"),
        ("    indented", "indented"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_a_line_is_text(text: str, written: str) -> None:
    assert markdown.paragraph(text) == written


def test_code_cannot_end_its_fence() -> None:
    assert markdown.code("a\n```\nb") == ["````", "a", "```", "b", "````"]
    assert markdown.quoted("a\n\n# b", indent="  ") == ["  > a", "  >", r"  > \# b"]


def test_the_whole_of_it(alice: User) -> None:
    alert = breaker_alert(title="Breaker *open*: yahoo", labels={"breaker": "yahoo_finance"})
    incident = opened(BREAKER, alert_id=alert.pk, actor=acting(alice))
    step = step_of(incident, "read")
    services.complete(actor=acting(alice), incident_id=incident.pk, step_id=step.pk, note="500 for *all*")
    services.add_note(actor=acting(alice), incident_id=incident.pk, text=NASTY)
    an_alert("token=abcdef123456", message=NASTY)
    services.close(actor=acting(alice), incident_id=incident.pk, summary="# The provider\n1. was down")
    text = export.document(selectors.detail(incident.pk), now=timezone.now(), address="https://desk.example")
    lines = text.splitlines()
    assert lines[0] == rf"# Incident {incident.pk}: Breaker \*open\*: yahoo"
    assert "- **Steps done**: 1 of 4" in lines
    assert r"> \# The provider" in lines
    assert r"> 1\. was down" in lines
    assert any(line.startswith("1. [x] Check the breaker yahoo\\_finance (alice, ") for line in lines)
    assert r"   > 500 for \*all\*" in lines
    assert "3. [ ] Reset the breaker" in lines
    assert (
        '   curl -X POST -H "Authorization: Bearer $TOKEN" https://desk.example/monitoring/circuit-breakers/yahoo_finance/reset \\'
        in lines
    )
    # Headings are ours alone.
    assert [line for line in lines if line.startswith("#")] == [
        lines[0],
        "## Summary",
        "## Alerts",
        "## Runbook: Circuit Breaker Open",
        "## Notes",
        "## Timeline",
    ]
    assert "<script>" not in text
    assert "abcdef123456" not in text
    times = [line[2:21] for line in lines[lines.index("## Timeline") :] if line.startswith("- ")]
    assert times == sorted(times)
    assert len(times) >= 6


def test_a_long_one_says_that_it_was_cut(monkeypatch: pytest.MonkeyPatch, alice: User) -> None:
    monkeypatch.setattr(export, "MOST", 3)
    incident = services.start(actor=acting(alice), title="Long").incident
    for number in range(5):
        services.add_note(actor=acting(alice), incident_id=incident.pk, text=f"note {number}")
    text = export.document(selectors.detail(incident.pk), now=timezone.now(), address="")
    told = text[text.index("## Timeline") :]
    assert "Only the newest 3 entries." in told
    assert [number for number in range(5) if f"note {number}" in told] == [2, 3, 4]
    assert Incident.objects.get().is_open
