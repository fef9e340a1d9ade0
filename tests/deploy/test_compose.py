"""docker-compose.yml by Debian's docker-compose, and its commands by hand. No container runs here."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from opsconsole.accounts.models import ApiToken, User
from opsconsole.accounts.roles import Role
from opsconsole.supervisor.programs import ROOT
from tests.console import database_url
from tests.deploy import files
from tests.deploy.services import SECRETS, Services, config, read, services

__all__ = ["services"]

LOCAL = ("opsconsole", "alerts", "killswitch", "monitoring")


@pytest.mark.parametrize("name", SECRETS)
def test_without_a_secret_nothing_starts(name: str) -> None:
    environ = {variable: value for variable, value in SECRETS.items() if variable != name}
    assert f"{name}" in config(environ=environ, fails=True)


def test_every_service_of_the_console_is_there(services: Services) -> None:
    assert set(services) == {
        *("postgres", "redis", "migrate", "web", "worker", "urgent", "beat"),
        *("prometheus-token", "prometheus", "grafana"),
    }


def needs(services: Services, name: str) -> Iterator[str]:
    for other in services[name].get("depends_on", {}):
        yield other
        yield from needs(services, other)


def test_grafana_alone_brings_what_it_shows(services: Services) -> None:
    """`docker-compose up -d grafana`."""
    assert set(needs(services, "grafana")) == {
        *("prometheus", "prometheus-token", "web", "migrate", "postgres", "redis")
    }


def test_a_service_waits_until_what_it_needs_is_sound(services: Services) -> None:
    for service in services.values():
        for other, how in service.get("depends_on", {}).items():
            once = services[other].get("restart") == "no"
            assert how["condition"] == ("service_completed_successfully" if once else "service_healthy")
            assert once or "healthcheck" in services[other]


def test_only_this_machine_reaches_the_ports(services: Services) -> None:
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert sorted(ports) == ["127.0.0.1:3000:3000/tcp", "127.0.0.1:8000:8000/tcp", "127.0.0.1:9090:9090/tcp"]


def test_grafanas_sign_in_is_the_guides_unless_set_otherwise(services: Services) -> None:
    def sign_in(services: Services) -> tuple[str, str]:
        environ = services["grafana"]["environment"]
        return environ["GF_SECURITY_ADMIN_USER"], environ["GF_SECURITY_ADMIN_PASSWORD"]

    assert sign_in(services) == ("admin", "admin")
    own = {"OPSCONSOLE_GRAFANA_USER": "dana", "OPSCONSOLE_GRAFANA_PASSWORD": "better"}
    assert sign_in(read(**own)) == ("dana", "better")


def test_prometheus_reaches_the_console_by_a_name_that_django_allows(services: Services) -> None:
    hosts = services["web"]["environment"]["OPSCONSOLE_ALLOWED_HOSTS"].split(",")
    config = files.load(files.PROMETHEUS / "prometheus.yml")
    (target,) = config["scrape_configs"][0]["static_configs"][0]["targets"]
    assert target.split(":")[0] in hosts
    named = read(OPSCONSOLE_ALLOWED_HOSTS="console.example")
    assert named["web"]["environment"]["OPSCONSOLE_ALLOWED_HOSTS"] == "console.example,web"


def test_what_is_mounted_is_there(services: Services) -> None:
    for service in services.values():
        for volume in service.get("volumes", ()):
            source, _, rest = volume.partition(":")
            if source.startswith("/"):
                assert Path(source).exists()
                assert rest.endswith(":ro")


def test_the_image_has_every_package_of_the_console() -> None:
    copied = [
        line.split()[1] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("COPY")
    ]
    assert {*LOCAL, "client", "templates", "static"} <= set(copied)
    installed = {app.split(".")[0] for app in django_settings.INSTALLED_APPS}
    assert {app for app in installed if (ROOT / app).is_dir()} == set(LOCAL)


# Prometheus' token


def make_token(services: Services, target: Path, **environ: str) -> str:
    """What the command of the service writes, run with this test's database."""
    shell, script, path = services["prometheus-token"]["command"]
    assert (script, path) == ("/token.sh", "/run/opsconsole/prometheus.token")
    subprocess.run(
        [shell, str(files.PROMETHEUS / "token.sh"), str(target)],
        env={
            **os.environ,
            # The image's python is the one with the console's packages.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DATABASE_URL": database_url(connection.settings_dict),
            "OPSCONSOLE_SECRET_KEY": django_settings.SECRET_KEY,
            **environ,
        },
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    return target.read_text()


@pytest.mark.django_db(transaction=True)
def test_the_token_is_made_once(services: Services, tmp_path: Path) -> None:
    """Of an account that may read metrics and raise alerts."""
    target = tmp_path / "prometheus.token"
    token = make_token(services, target)
    assert make_token(services, target) == token
    user = ApiToken.objects.get().user
    assert (user.username, user.is_service) == ("prometheus", True)
    assert [group.name for group in user.groups.all()] == [Role.TRADING_SYSTEM]
    assert user.has_perms(["monitoring.view_series", "alerts.raise_alert"])
    # Nobody's, as whom Prometheus runs.
    assert target.stat().st_mode & 0o777 == 0o444


@pytest.mark.django_db(transaction=True)
def test_a_token_of_the_environment_is_taken(services: Services, tmp_path: Path) -> None:
    target = tmp_path / "prometheus.token"
    target.write_text("old")
    assert make_token(services, target, OPSCONSOLE_PROMETHEUS_TOKEN="ops_given") == "ops_given"
    assert not User.objects.filter(username="prometheus").exists()
