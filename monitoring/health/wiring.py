"""What health hands to other parts of the console. Called once, from `MonitoringConfig.ready()`."""

from django.utils import timezone

from alerts import curves as alert_curves
from monitoring.breakers import selectors as breakers
from monitoring.health import alert_card, answers, metrics, parts, system
from monitoring.health.pulsing import BeatPulse
from opsconsole.api.shared import SharedAnswer
from opsconsole.live.endpoints import register_endpoint
from opsconsole.live.ticks import register_tick


def register() -> None:
    metrics.register()
    parts.register()
    system.register_breakers(lambda: breakers.open_names(now=timezone.now()))
    alert_curves.register(alert_card.drawn)
    register_tick(BeatPulse().ticked)
    register_endpoint(
        (answers.HEALTH_PATH,),
        lambda otherwise: SharedAnswer(otherwise, answers.health, permission=answers.PERMISSION),
    )
    register_endpoint(
        (answers.STATUS_PATH,),
        lambda otherwise: SharedAnswer(otherwise, answers.system_status, permission=answers.PERMISSION),
    )
