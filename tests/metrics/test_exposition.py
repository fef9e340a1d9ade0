"""`GET /metrics`: who may read it, both formats, and what stands in it."""

import subprocess
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from pytest_django import DjangoAssertNumQueries, Settings

from alerts.models import Delivery
from killswitch.services import activate, deactivate
from monitoring.metrics import exposition, sources, text
from monitoring.metrics.catalogue import CATALOGUE, Kind
from monitoring.metrics.exposition import expose
from monitoring.metrics.models import Series
from monitoring.metrics.sources import Sample, register_source
from opsconsole.accounts.models import User
from tests.alerts.alertmanager.programs import PACKAGES, program
from tests.alerts.rows import a_channel
from tests.audit.sealing import sealed, tamper, write
from tests.cast import ROOT, caller
from tests.metrics.series import NOW, a_series, every_metric

URL = "/metrics"
OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5"


def values(body: str, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """The samples of one name by their labels."""
    return {
        tuple(sample.labels.items()): sample.value
        for family in parse_text(body)
        for sample in family.samples
        if sample.name == name
    }


def value(body: str, name: str, **labels: str) -> float:
    return values(body, name)[tuple(labels.items())]


@pytest.fixture
def _sources() -> Any:
    """Forgets what a test registers."""
    known, own = dict(sources._sources), dict(sources._own)
    yield
    sources._sources.clear()
    sources._sources.update(known)
    sources._own.clear()
    sources._own.update(own)


# Refusals


def test_needs_an_account(db: None) -> None:
    answer = Client(REMOTE_ADDR="192.0.2.7").get(URL)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "not_authenticated"


def test_needs_the_right_to_read(charlie: User) -> None:
    answer = caller(charlie).get(URL)
    assert answer.status_code == 403
    assert "viewer" in answer.json()["error"]["message"]


def test_takes_no_other_method(bob: User) -> None:
    assert caller(bob).post(URL).status_code == 405


# Who may


def test_a_program_on_this_machine_needs_no_token(db: None, settings: Settings) -> None:
    """The guide's curl, as printed."""
    settings.LOCAL_ACCOUNT = True
    answer = Client(REMOTE_ADDR="127.0.0.1", headers={"Host": "localhost:8000"}).get(URL)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_a_page_in_a_browser_on_this_machine_does(db: None, settings: Settings) -> None:
    settings.LOCAL_ACCOUNT = True
    headers = {"Host": "localhost:8000", "Origin": "http://evil.example"}
    assert Client(REMOTE_ADDR="127.0.0.1", headers=headers).get(URL).status_code == 401


# Formats


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        (OPENMETRICS, True),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text; version=2.0.0, text/plain;q=0.1", False),
        ("application/openmetrics-text;q=0.2, text/plain;q=0.9", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=much", False),
    ],
)
def test_the_accept_header_chooses(accept: str, openmetrics: bool) -> None:
    assert text.accepts_openmetrics(accept) is openmetrics


def test_openmetrics_is_sound(bob: User) -> None:
    every_metric()
    answer = caller(bob).get(URL, headers={"Accept": OPENMETRICS})
    body = answer.content.decode()
    assert answer["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert body.endswith("\n# EOF\n")
    assert body.count("# EOF") == 1
    # The guide's own query needs this sum, which OpenMetrics has not where a bucket lies below 0; Prometheus reads it (docs/exposition.md).
    not_strict = ("trade_slippage_bps_sum", "trade_slippage_bps_count")
    strict = "\n".join(line for line in body.split("\n") if not line.startswith(not_strict))
    families = {family.name: family for family in parse_openmetrics(strict)}  # type: ignore[no-untyped-call]  # it has no types
    assert families["trades"].type == "counter"
    assert [sample.name for sample in families["trades"].samples] == ["trades_total"]
    assert families["trade_execution_duration_seconds"].type == "histogram"
    assert "trade_slippage_bps_sum" in body


def test_promtool_finds_nothing_to_complain_about(bob: User) -> None:
    PACKAGES.setdefault("promtool", "prometheus")
    every_metric()
    body = caller(bob).get(URL).content
    done = subprocess.run(
        [program("promtool"), "check", "metrics"], input=body, capture_output=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_labels_are_escaped_and_the_client_comes_last(db: None) -> None:
    a_series("ai_cost_usd_total", 2.5, client='desk "1"', labels={"provider": "a\\b", "model": "x\ny"})
    assert 'ai_cost_usd_total{provider="a\\\\b",model="x\\ny",client="desk \\"1\\""} 2.5\n' in expose(now=NOW)


def test_numbers_that_are_none(db: None) -> None:
    for number, words in ((float("inf"), "+Inf"), (float("-inf"), "-Inf"), (float("nan"), "NaN")):
        Series.objects.all().delete()
        a_series("portfolio_value_usd", number)
        assert f'portfolio_value_usd{{client="desk-1"}} {words}\n' in expose(now=NOW)


# What stands in it


def test_every_metric_is_named_also_without_a_series(db: None) -> None:
    body = expose(now=NOW)
    for metric in CATALOGUE.values():
        assert f"# TYPE {metric.name} {metric.kind}\n" in body
        assert f"# HELP {metric.name} " in body


def test_each_metric_is_described_once_with_its_samples_together(bob: User) -> None:
    every_metric()
    a_series("trades_total", client="desk-2")
    body = caller(bob).get(URL).content.decode()
    types = [line.split()[2] for line in body.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    names = [line.partition("{")[0] for line in body.splitlines() if line.startswith("trades_total")]
    assert f"{names[0]}" * 2 == "".join(names)
    assert body.index('client="desk-2"') < body.index("# HELP trade_slippage_bps")


def test_clients_stand_beside_each_other(db: None) -> None:
    for client, number in (("desk-1", 3.0), ("desk-2", 4.0)):
        a_series("trades_total", number, client=client, labels={"side": "BUY"})
    found = values(expose(now=NOW), "trades_total")
    assert sorted(found.values()) == [3.0, 4.0]
    assert [labels[-1] for labels in found] == [("client", "desk-1"), ("client", "desk-2")]


def test_histograms_are_cumulative(db: None) -> None:
    buckets = [1, 0, 2, 0, 0, 0, 0, 0, 0, 3]
    a_series("signal_confidence", 4.2, count=10, buckets=[*buckets, 4], labels={"signal": "BUY"})
    body = expose(now=NOW)
    found = values(body, "signal_confidence_bucket")
    assert list(found.values()) == [1, 1, 3, 3, 3, 3, 3, 3, 3, 6, 10]
    bounds = [dict(labels)["le"] for labels in found]
    assert bounds == ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0", "+Inf"]
    assert value(body, "signal_confidence_count", signal="BUY", client="desk-1") == 10
    assert value(body, "signal_confidence_sum", signal="BUY", client="desk-1") == 4.2


def test_a_new_value_is_shown_at_the_next_scrape(db: None) -> None:
    series = a_series("portfolio_value_usd", 1.0)
    assert value(expose(now=NOW), "portfolio_value_usd", client="desk-1") == 1.0
    Series.objects.filter(pk=series.pk).update(value=2.0)
    assert value(expose(now=NOW), "portfolio_value_usd", client="desk-1") == 2.0


def test_what_is_gone_is_not_shown_and_not_kept(db: None) -> None:
    for number in range(20):
        a_series("volatility_breach_total", labels={"ticker": f"T{number}"})
    expose(now=NOW)
    Series.objects.all().delete()
    a_series("volatility_breach_total", labels={"ticker": "NEW"})
    assert [dict(labels)["ticker"] for labels in values(expose(now=NOW), "volatility_breach_total")] == [
        "NEW"
    ]
    assert len(exposition._renderings._known) == 1


def test_a_metric_that_is_no_more_is_left_out(db: None) -> None:
    series = a_series("portfolio_value_usd")
    Series.objects.filter(pk=series.pk).update(name="a_metric_of_before")
    assert "a_metric_of_before" not in expose(now=NOW)


def test_labels_are_read_once(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    every_metric()
    expose(now=NOW)
    # The totals; activations and switches; the outbox, twice; the seal, twice; who reports; the month's cost, in three; components; the watchdog,
    # in two.
    with django_assert_num_queries(14):
        expose(now=NOW)


# The console's own


@pytest.mark.django_db(transaction=True)
def test_stops_are_counted_and_drills_are_not() -> None:
    body = expose(now=NOW)
    assert set(values(body, "kill_switch_activations_total").values()) == {0}
    assert len(values(body, "kill_switch_activations_total")) == 8
    assert values(body, "opsconsole_trading_halted") == {(("scope", "global"),): 0}
    activate(actor=ROOT, reason="VOLATILITY", message="", scope="symbol:AAPL")
    activate(actor=ROOT, reason="MANUAL", message="", scope="symbol:GE", mode="REDUCE_ONLY")
    activate(actor=ROOT, reason="MANUAL", message="", drill=True)
    body = expose(now=NOW)
    assert value(body, "kill_switch_activations_total", reason="VOLATILITY", client="console") == 1
    assert value(body, "kill_switch_activations_total", reason="MANUAL", client="console") == 1
    assert value(body, "opsconsole_trading_halted", scope="symbol:AAPL") == 1
    assert value(body, "opsconsole_trading_halted", scope="symbol:GE") == 0
    assert value(body, "opsconsole_trading_reduce_only", scope="symbol:GE") == 1
    assert value(body, "opsconsole_trading_halted", scope="global") == 0
    deactivate(actor=ROOT, message="sound again", scope="symbol:AAPL")
    body = expose(now=NOW)
    assert value(body, "opsconsole_trading_halted", scope="symbol:AAPL") == 0
    assert value(body, "kill_switch_activations_total", reason="VOLATILITY", client="console") == 1


def test_the_seal_on_the_audit_trail(db: None) -> None:
    assert value(expose(now=NOW), "opsconsole_audit_pending_age_seconds") == 0
    sealed(3)
    write(2)
    tamper(f"UPDATE audit_auditpending SET written_at = '{NOW - timedelta(seconds=40)}'")
    body = expose(now=NOW)
    assert value(body, "opsconsole_audit_sealed_size") == 3
    assert value(body, "opsconsole_audit_pending") == 2
    assert value(body, "opsconsole_audit_pending_age_seconds") == 40


def test_the_outbox(db: None) -> None:
    body = expose(now=NOW)
    assert value(body, "opsconsole_alert_deliveries_pending") == 0
    assert value(body, "opsconsole_alert_delivery_overdue_seconds") == 0
    channel = a_channel()
    for state, ago in (("PENDING", 40), ("SENDING", 90), ("SENT", 500), ("DEAD", 600), ("PENDING", -60)):
        moment = NOW - timedelta(seconds=ago)
        finished = None if state in {"PENDING", "SENDING"} else NOW
        Delivery.objects.create(
            channel=channel,
            channel_name=channel.name,
            kind="firing",
            priority="LOW",
            state=state,
            created_at=moment,
            due_at=moment,
            finished_at=finished,
        )
    body = expose(now=NOW)
    assert value(body, "opsconsole_alert_deliveries_pending") == 3
    assert value(body, "opsconsole_alert_delivery_overdue_seconds") == 90
    assert value(body, "opsconsole_alert_deliveries_dead") == 1


def test_the_host(db: None) -> None:
    body = expose(now=NOW)
    for name in ("host_memory_usage_pct", "host_disk_usage_pct"):
        assert 0 < value(body, name, client="console") <= 100


@pytest.mark.usefixtures("_sources")
def test_a_source_can_be_added(db: None) -> None:
    register_source("costs", lambda now: [Sample("ai_monthly_cost_usd", now.day)])
    assert value(expose(now=NOW), "ai_monthly_cost_usd", client="console") == 4


@pytest.mark.usefixtures("_sources")
def test_a_source_that_fails_is_shown_as_down(db: None) -> None:
    register_source("costs", lambda now: [Sample("ai_monthly_cost_usd", 1 / (now.day - now.day))])
    body = expose(now=NOW)
    assert value(body, "opsconsole_metrics_source_up", source="costs") == 0
    assert value(body, "opsconsole_metrics_source_up", source="host") == 1
    assert values(body, "ai_monthly_cost_usd") == {}


@pytest.mark.usefixtures("_sources")
def test_a_sample_without_a_description_is_an_error(db: None) -> None:
    register_source("costs", lambda _now: [Sample("nobody_knows", 1.0)])
    with pytest.raises(RuntimeError, match="nobody_knows"):
        expose(now=NOW)


def test_kinds_of_the_catalogue_are_those_of_the_format() -> None:
    assert {kind.value for kind in Kind} == {"counter", "gauge", "histogram"}


# Who reports


def test_says_when_each_client_reported_last(db: None) -> None:
    a_series("portfolio_value_usd", at=NOW - timedelta(hours=1))
    a_series("portfolio_daily_pnl_usd", at=NOW - timedelta(minutes=5))
    a_series("portfolio_value_usd", client="desk-2", at=NOW - timedelta(days=2))
    found = values(expose(now=NOW), "opsconsole_metrics_last_push_timestamp_seconds")
    assert found == {(("client", "desk-1"),): (NOW - timedelta(minutes=5)).timestamp()}


def test_leaves_out_a_projection_that_is_not_known(db: None) -> None:
    """A month of which too little is seen would cost nothing, else."""
    a_series("ai_cost_usd_total", 5.0)
    assert values(expose(now=NOW + timedelta(hours=1)), "ai_monthly_cost_usd") == {}
    found = values(expose(now=NOW + timedelta(hours=7)), "ai_monthly_cost_usd")
    assert list(found) == [(("client", "console"),)]
