"""The Chromium of the browser tests: where it is, and how it is started."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

NO_CHROMIUM = "no Chromium: set OPSCONSOLE_CHROMIUM, or run script/test, which looks for one"
# Of two lists Chromium obeys the last, so here stands what of Playwright's matters to a page of ours, too. The address
# bar's drop-down is a page with scripts of its own, which costs each new window twice the time of ours, though nobody sees it.
FEATURES_OFF = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "PaintHolding"),
    *("HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "ThirdPartyStoragePartitioning"),
    *("OptimizationHints", "NetworkTimeServiceQuerying", "MediaRouter", "PreconnectToSearch"),
)
# These keep it from calling home, too.
FLAGS = [
    *("--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", f"--disable-features={','.join(FEATURES_OFF)}"),
]
# How long a page may take to show what is expected, on a machine that has much else to do.
PATIENCE_MS = 20_000


def chromium() -> str | None:
    path = os.environ.get("OPSCONSOLE_CHROMIUM") or "/usr/bin/chromium"
    return path if Path(path).exists() else None


@contextmanager
def launched() -> Iterator[Browser]:
    """A Chromium for the length of the block; skips the test where there is none."""
    path = chromium()
    if path is None:
        pytest.skip(NO_CHROMIUM)
    # As root its sandbox cannot work.
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()
