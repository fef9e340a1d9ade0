from django.apps import AppConfig

from opsconsole.live import feeds
from tests.live.app.feed import TableFeed
from tests.live.app.parts import PARTS


class LiveTestConfig(AppConfig):
    name = "tests.live.app"
    label = "livetest"

    def ready(self) -> None:
        feeds.register_trading_feed(TableFeed())
        for part in PARTS:
            feeds.register_part(part)
