"""The deployment check of the loopback rule."""

import pytest
from pytest_django import Settings

from opsconsole.accounts.checks import local_account_is_embedded_only


@pytest.mark.parametrize(
    ("local", "embedded", "ids"), [(True, False, ["accounts.E001"]), (True, True, []), (False, False, [])]
)
def test_the_loopback_rule_is_for_the_embedded_default(
    settings: Settings, local: bool, embedded: bool, ids: list[str]
) -> None:
    settings.LOCAL_ACCOUNT, settings.EMBEDDED = local, embedded
    assert [message.id for message in local_account_is_embedded_only(None)] == ids
