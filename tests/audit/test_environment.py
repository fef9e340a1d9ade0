"""The name that checkpoints bear: a bad one fails at start."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from opsconsole import env


@pytest.mark.parametrize("value", ["ops example", "ops+example", "ops\u00a0example", "ops\x00", "x" * 256])
def test_refuses_what_no_key_can_be_called(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="OPSCONSOLE_AUDIT_ORIGIN"):
        env.key_name("OPSCONSOLE_AUDIT_ORIGIN", "x", environ={"OPSCONSOLE_AUDIT_ORIGIN": value})


@pytest.mark.parametrize(
    ("value", "read"), [("", "default"), (" ", "default"), ("ops.example/log", "ops.example/log")]
)
def test_reads_a_name(value: str, read: str) -> None:
    assert (
        env.key_name("OPSCONSOLE_AUDIT_ORIGIN", "default", environ={"OPSCONSOLE_AUDIT_ORIGIN": value}) == read
    )
