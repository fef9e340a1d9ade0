from django.apps import AppConfig

from alerts.halts import register_reader
from alerts.verbs import register_stop
from opsconsole.live.endpoints import register_endpoint
from opsconsole.live.feeds import register_trading_feed


class KillSwitchConfig(AppConfig):
    name = "killswitch"
    verbose_name = "Kill switch"

    def ready(self) -> None:
        from killswitch import alarms, parts  # noqa: PLC0415  they need the models, which exist only now
        from killswitch.api import PATH, status_answer  # noqa: PLC0415  likewise
        from killswitch.chat import StopFromChat  # noqa: PLC0415  likewise
        from killswitch.feed import KillSwitchFeed  # noqa: PLC0415  likewise
        from killswitch.selectors import version  # noqa: PLC0415  likewise
        from opsconsole.api.shared import SharedAnswer  # noqa: PLC0415  likewise

        register_trading_feed(KillSwitchFeed())
        register_reader(alarms.halts)
        register_stop(StopFromChat())
        register_endpoint((PATH,), lambda otherwise: SharedAnswer(otherwise, status_answer, version=version))
        parts.register()
