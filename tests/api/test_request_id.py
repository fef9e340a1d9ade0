"""Request ids, in and out."""

import logging

import pytest
from django.test import Client

from opsconsole.accounts.models import User
from opsconsole.api.logs import RequestIdFilter, current_request_id
from opsconsole.audit.models import AuditEvent
from tests.cast import caller


@pytest.mark.parametrize("sent", ["", "x" * 65, "with space", "<script>", "a\nb", "ü"])
def test_an_odd_one_is_replaced(db: None, sent: str) -> None:
    answer = Client(headers={"X-Request-ID": sent}).get("/monitoring/nothing")
    assert len(answer.headers["X-Request-ID"]) == 32
    assert answer.headers["X-Request-ID"] != sent


def test_a_sane_one_is_kept_and_reaches_the_trail(alice: User) -> None:
    answer = caller(alice).post("/monitoring/kill-switch/activate", headers={"X-Request-ID": "desk-7.a_b"})
    assert answer.headers["X-Request-ID"] == "desk-7.a_b"
    assert AuditEvent.objects.get(action="killswitch.activated").request_id == "desk-7.a_b"


def test_is_in_log_records() -> None:
    record = logging.makeLogRecord({})
    RequestIdFilter().filter(record)
    assert vars(record)["request_id"] == "-"
    token = current_request_id.set("r-1")
    try:
        RequestIdFilter().filter(record)
    finally:
        current_request_id.reset(token)
    assert vars(record)["request_id"] == "r-1"
