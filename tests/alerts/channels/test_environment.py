"""What the environment says of channels: bad values fail at start, and no message repeats a password."""

from ipaddress import ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured

from opsconsole import env


@pytest.mark.parametrize(
    "url", ["mail.example", "http://mail.example", "smtp://", "smtp://m:port", "smtp://u:hunter2@m?tls=maybe"]
)
def test_refuses_what_is_no_mail_server(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL") as caught:
        env.mail_server("EMAIL_URL", environ={"EMAIL_URL": url})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("", env.MailServer()),
        ("smtp://mail", env.MailServer("mail", 587, starttls=True)),
        ("smtp://mail?tls=off", env.MailServer("mail", 25)),
        ("smtps://a%40b:p%2Fq@mail", env.MailServer("mail", 465, "a@b", "p/q", tls=True)),
    ],
)
def test_reads_a_mail_server(url: str, read: env.MailServer) -> None:
    assert env.mail_server("EMAIL_URL", environ={"EMAIL_URL": url}) == read
    assert "p/q" not in repr(read)


@pytest.mark.parametrize("url", ["ops.example", "ftp://ops.example", "https://ops.example?x=1", "https://"])
def test_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="OPSCONSOLE_URL"):
        env.base_url("OPSCONSOLE_URL", environ={"OPSCONSOLE_URL": url})


def test_reads_an_address_without_its_last_slash() -> None:
    assert env.base_url("X", environ={"X": "https://ops.example/console/"}) == "https://ops.example/console"
    assert env.base_url("X", "https://api.example", environ={}) == "https://api.example"


def test_reads_networks() -> None:
    assert env.networks("X", environ={"X": "10.0.0.0/8, ::1"}) == [
        ip_network("10.0.0.0/8"),
        ip_network("::1"),
    ]
    with pytest.raises(ImproperlyConfigured, match="X must list networks"):
        env.networks("X", environ={"X": "10.0.0.1/8"})
