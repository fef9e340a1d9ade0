"""What health hands to other parts of the console. Called once, from `MonitoringConfig.ready()`."""

from django.conf import settings

from alerts import curves as alert_curves
from alerts.errands import register_errand
from killswitch.selectors import epoch
from monitoring.health import alert_card, answers, metrics, parts
from monitoring.health.pulsing import BeatPulse
from monitoring.health.watchdog import canaries
from monitoring.health.watchdog import metrics as watchdog_metrics
from monitoring.health.watchdog import parts as watchdog_parts
from monitoring.health.web import HubHealth
from opsconsole.api.shared import SharedAnswer
from opsconsole.live.companions import register_companion
from opsconsole.live.endpoints import register_endpoint
from opsconsole.live.ticks import register_tick


def register() -> None:
    metrics.register()
    parts.register()
    alert_curves.register(alert_card.drawn)
    register_tick(BeatPulse().ticked)
    if settings.HEALTH_CHECKS:
        register_companion(HubHealth)
    watchdog_metrics.register()
    register_errand(lambda clock: canaries.carry(clock=clock))
    watchdog_parts.register()
    register_endpoint(
        (answers.HEALTH_PATH,),
        lambda otherwise: SharedAnswer(otherwise, answers.health, permission=answers.PERMISSION),
    )
    register_endpoint(
        (answers.STATUS_PATH,),
        lambda otherwise: SharedAnswer(
            otherwise, answers.system_status, version=epoch, permission=answers.PERMISSION
        ),
    )
