"""What health hands to other parts of the console. Called once, from `MonitoringConfig.ready()`."""

from django.conf import settings

from killswitch.selectors import epoch
from monitoring.health import answers, metrics
from monitoring.health.pulsing import BeatPulse
from monitoring.health.web import HubHealth
from opsconsole.api.shared import SharedAnswer
from opsconsole.live.companions import register_companion
from opsconsole.live.endpoints import register_endpoint
from opsconsole.live.ticks import register_tick


def register() -> None:
    metrics.register()
    register_tick(BeatPulse().ticked)
    if settings.HEALTH_CHECKS:
        register_companion(HubHealth)
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
