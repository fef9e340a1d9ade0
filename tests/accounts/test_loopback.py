"""The loopback rule: everything that could be a browser, a proxy or a stranger is refused."""

import pytest
from pytest_django import Settings

from opsconsole.accounts.loopback import is_local_call
from opsconsole.accounts.models import User
from tests.cast import ApiClient

HOST = {"host": "localhost:8000"}


@pytest.mark.parametrize(
    "header",
    [
        "origin", "referer", "forwarded", "via", "x-real-ip", "cookie", "authorization", "sec-fetch-site", "sec-fetch-mode",
        "sec-fetch-dest", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
    ],
)  # fmt: skip
def test_refuses_signs_of_a_browser_a_proxy_or_credentials(header: str) -> None:
    assert not is_local_call(ip="127.0.0.1", headers=HOST | {header: "x"})


@pytest.mark.parametrize(
    "ip", ["", "192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "2001:db8::1", "localhost", "0.0.0.0", "::"]
)
def test_refuses_other_addresses(ip: str) -> None:
    assert not is_local_call(ip=ip, headers=HOST)


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.nip.io", "user@localhost", "localhost/x",
        "192.0.2.1", "[2001:db8::1]", "localhost:port", "0.0.0.0", "2130706433", "[::1", "localhost#x", "local\thost",
    ],
)  # fmt: skip
def test_refuses_hosts_that_are_not_loopback(host: str) -> None:
    assert not is_local_call(ip="127.0.0.1", headers={"host": host})


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
def test_lets_programs_on_this_machine_through(ip: str, host: str) -> None:
    assert is_local_call(ip=ip, headers={"host": host, "user-agent": "curl/8", "accept": "*/*"})


@pytest.fixture
def local_client(db: None, settings: Settings) -> ApiClient:
    settings.LOCAL_ACCOUNT = True
    settings.ALLOWED_HOSTS = ["*"]
    return ApiClient(REMOTE_ADDR="127.0.0.1", headers={"host": "localhost"})


def test_is_off_where_the_setting_is_off(local_client: ApiClient, settings: Settings) -> None:
    assert local_client.get("/monitoring/kill-switch").status_code == 200
    settings.LOCAL_ACCOUNT = False
    assert local_client.get("/monitoring/kill-switch").status_code == 401


def test_is_off_for_a_switched_off_account(local_client: ApiClient) -> None:
    User.objects.filter(username="local").update(is_active=False)
    assert local_client.get("/monitoring/kill-switch").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "none"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Host": "evil.example"},
    ],
)
def test_is_refused_over_http(local_client: ApiClient, headers: dict[str, str]) -> None:
    assert local_client.get("/monitoring/kill-switch").status_code == 200
    assert local_client.post("/monitoring/kill-switch/activate", headers=headers).status_code == 401


def test_a_wrong_token_is_not_forgiven(local_client: ApiClient) -> None:
    answer = local_client.get("/monitoring/kill-switch", headers={"Authorization": "Bearer ops_wrong"})
    assert answer.status_code == 401


def test_acts_as_the_account_local(local_client: ApiClient) -> None:
    assert local_client.post("/monitoring/kill-switch/activate").json()["activated_by"] == "local"
    assert local_client.post("/monitoring/kill-switch/deactivate").status_code == 200
