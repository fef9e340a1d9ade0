"""Who wants to hear of announcements hears of all of them, after the pages."""

import pytest

from killswitch.feed import KillSwitchFeed
from opsconsole.live.hub import Hub


class Pages:
    def __init__(self, heard: list[tuple[str, str]]) -> None:
        self._heard = heard

    def on_topic(self, topic: str) -> None:
        self._heard.append(("pages", topic))

    def on_everything(self) -> None: ...


@pytest.mark.asyncio
async def test_everybody_hears_after_the_pages() -> None:
    heard: list[tuple[str, str]] = []
    hub = Hub(KillSwitchFeed(), term=2.0, pages=Pages(heard))
    hub.hear(lambda topic: heard.append(("first", topic)))
    hub.hear(lambda topic: heard.append(("second", topic)))
    hub.on_topic("audit")
    await hub.close()
    assert heard == [("pages", "audit"), ("first", "audit"), ("second", "audit")]
