"""Secrets at rest, and the change of the key."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from alerts.channels import transport
from alerts.channels.base import SendFailed
from alerts.checks import channels_can_be_read
from alerts.models import Channel
from alerts.sealing import SealBroken, seal, unseal
from opsconsole.audit.models import AuditEvent

SECRETS = {"url": "https://hooks.example.com/abc", "signing_key": "ключ and more"}
NEW = "another-key-that-is-long-enough-for-anybody"


@pytest.fixture
def channel(db: None) -> Channel:
    now = timezone.now()
    return Channel.objects.create(
        name="hook", kind="webhook", secrets=seal(SECRETS), created_at=now, updated_at=now
    )


def test_a_changed_text_is_refused() -> None:
    sealed = seal(SECRETS)
    other = "A" if sealed[40] != "A" else "B"
    for broken in (sealed[:-2], "x" + sealed[1:], "nonsense", sealed[:40] + other + sealed[41:]):
        with pytest.raises(SealBroken):
            unseal(broken)


def test_another_key_says_what_to_do(settings: Settings) -> None:
    sealed = seal(SECRETS)
    settings.SECRET_KEY = NEW
    with pytest.raises(SealBroken, match="OPSCONSOLE_SECRET_KEY_FALLBACKS"):
        unseal(sealed)


def test_seals_and_unseals() -> None:
    sealed = seal(SECRETS)
    assert unseal(sealed) == SECRETS
    assert "hooks.example.com" not in sealed
    assert seal(SECRETS) != sealed
    assert (seal({}), unseal("")) == ("", {})


def test_an_old_key_is_good_for_reading(settings: Settings) -> None:
    sealed = seal(SECRETS)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], NEW
    assert unseal(sealed) == SECRETS


def test_a_channel_that_cannot_be_read_fails_for_good_and_is_found(
    channel: Channel, settings: Settings
) -> None:
    assert channels_can_be_read(None, databases=["default"]) == []
    settings.SECRET_KEY = NEW
    with pytest.raises(SendFailed) as caught:
        transport(channel)
    (error,) = channels_can_be_read(None, databases=["default"])
    assert caught.value.permanent
    assert (error.id, "hook" in error.msg) == ("alerts.E001", True)
    assert channels_can_be_read(None, databases=None) == []


def test_a_database_without_tables_has_no_channels(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE alerts_channel RENAME TO elsewhere")
    assert channels_can_be_read(None, databases=["default"]) == []


def test_the_command_refuses_what_it_cannot_read(channel: Channel, settings: Settings) -> None:
    settings.SECRET_KEY = NEW
    with pytest.raises(CommandError, match="hook"):
        call_command("resealchannels")


def test_the_command_seals_with_todays_key(channel: Channel, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], NEW
    out = StringIO()
    call_command("resealchannels", stdout=out)
    settings.SECRET_KEY_FALLBACKS = []
    channel.refresh_from_db()
    assert unseal(channel.secrets) == SECRETS
    assert out.getvalue() == "1 channel sealed with today's OPSCONSOLE_SECRET_KEY.\n"
    assert AuditEvent.objects.filter(action="alerts.channel_resealed").count() == 1
