"""A stop is never refused over its wording."""

import json
from typing import Any

import pytest

from killswitch.choices import Mode, Reason
from killswitch.wording import METADATA_LENGTH, read_stop

VALUES: dict[str, tuple[Any, ...]] = {
    "reason": ("FOO", 7, ["MANUAL"], {"a": 1}, "x" * 10_000, "\x00", True),
    "scope": ("everything", 7, ["symbol:IBM"], {"a": 1}, "symbol:", True),
    "mode": ("ACTIVE", "halt!", 7, [], {"a": 1}, True),
    "drill": ("maybe", 7, ["true"], {"a": 1}, "drill"),
    "message": (7, ["x"], {"a": 1}),
    "metadata": ("{bad", 7, ["x"], "text", "[1]", {"a": "x" * METADATA_LENGTH}),
    "colour": ("red",),
}
UNREADABLE = [(field, value) for field, values in VALUES.items() for value in values]


@pytest.mark.parametrize(("field", "value"), UNREADABLE)
def test_what_cannot_be_read_is_the_safest_and_is_told(field: str, value: Any) -> None:
    order = read_stop({field: value})
    assert (order.reason, order.mode, order.scope, order.drill) == (
        Reason.MANUAL,
        Mode.HALTED,
        "global",
        False,
    )
    assert [warning.partition(":")[0] for warning in order.warnings] == [field]
    assert field in json.dumps(order.metadata["sent"], ensure_ascii=False)
    json.dumps(order.metadata, allow_nan=False)


def test_an_unreadable_body_is_kept() -> None:
    order = read_stop({}, problems=("The body is not valid JSON.",), raw="{bad" * 5000)
    assert order.warnings == ["The body is not valid JSON."]
    assert order.metadata["sent"].startswith('{"body": "{bad{bad')
    assert len(order.metadata["sent"]) <= 4000


def test_nothing_at_all_is_a_stop_without_complaint() -> None:
    order = read_stop({})
    assert (order.reason, order.mode, order.scope, order.drill) == (
        Reason.MANUAL,
        Mode.HALTED,
        "global",
        False,
    )
    assert (order.warnings, order.metadata) == ([], {})


def test_reads_what_is_there() -> None:
    order = read_stop(
        {
            "reason": " cost_alert ",
            "message": "x",
            "metadata": {"cost": 10.5},
            "scope": "symbol:IBM",
            "mode": "reduce_only",
            "drill": "true",
        }
    )
    assert (order.reason, order.mode, order.scope, order.drill) == (
        Reason.COST_ALERT,
        Mode.REDUCE_ONLY,
        "symbol:IBM",
        True,
    )
    assert (order.message, order.metadata, order.warnings) == ("x", {"cost": 10.5}, [])


def test_a_form_may_carry_metadata_as_json() -> None:
    assert read_stop({"metadata": '{"a": 1}'}).metadata == {"a": 1}


def test_a_long_message_is_cut() -> None:
    order = read_stop({"message": "x" * 3000})
    assert len(order.message) == 2000
    assert order.warnings == ["message: cut to 2000 characters"]


def test_numbers_that_json_lacks_are_kept_as_words() -> None:
    assert read_stop({"metadata": {"pnl": float("nan"), "x": float("-inf")}}).metadata == {
        "pnl": "nan",
        "x": "-inf",
    }
