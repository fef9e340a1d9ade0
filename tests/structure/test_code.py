"""Rules of the house that a linter does not know."""

import ast
import re
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.order import BROWSER, SECONDS

ROOT = Path(__file__).resolve().parents[2]
APPS = ("opsconsole", "killswitch", "monitoring")


def sources(*folders: str) -> list[Path]:
    return [
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts
    ]


def test_every_management_command_has_a_test() -> None:
    tests = "\n".join(path.read_text() for path in sources("tests"))
    commands = [
        path.stem
        for app in APPS
        for path in (ROOT / app).rglob("management/commands/*.py")
        if path.stem != "__init__"
    ]
    assert commands
    assert [name for name in commands if f'"{name}"' not in tests] == []


def test_every_entry_of_the_schedule_expires() -> None:
    assert settings.CELERY_BEAT_SCHEDULE
    schedule: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    for name, entry in schedule.items():
        assert entry["options"]["expires"] > 0, name


def test_the_client_knows_no_django() -> None:
    for path in sources("client"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert name.split(".")[0] not in {"django", "rest_framework", *APPS}, (
                    f"{path.name} imports {name}"
                )


def test_only_the_hub_and_the_bridge_stream() -> None:
    """An answer that streams from a view would hold a thread and a database connection."""
    assert [path.name for path in sources(*APPS) if "StreamingHttpResponse" in path.read_text()] == []


def test_no_page_carries_inline_code_or_foreign_addresses() -> None:
    bad = re.compile(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=\"|(?:src|href)=\"https?://", re.IGNORECASE)
    pages = list((ROOT / "templates").rglob("*.html"))
    assert pages
    assert [str(page.relative_to(ROOT)) for page in pages if bad.search(page.read_text())] == []


def test_no_signals_carry_core_logic() -> None:
    assert [path.name for path in sources(*APPS) if "django.db.models.signals" in path.read_text()] == []


def test_the_order_of_the_tests_names_files_that_are_there() -> None:
    assert [path for path in SECONDS if not (ROOT / path).is_file()] == []
    assert (ROOT / BROWSER).is_dir()
