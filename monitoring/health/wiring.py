"""What health hands to other parts of the console. Called once, from `MonitoringConfig.ready()`."""

from monitoring.health import answers, metrics
from monitoring.health.pulsing import BeatPulse
from opsconsole.api.shared import SharedAnswer
from opsconsole.live.endpoints import register_endpoint
from opsconsole.live.ticks import register_tick


def register() -> None:
    metrics.register()
    register_tick(BeatPulse().ticked)
    register_endpoint(
        (answers.HEALTH_PATH,),
        lambda otherwise: SharedAnswer(otherwise, answers.health, permission=answers.PERMISSION),
    )
    register_endpoint(
        (answers.STATUS_PATH,),
        lambda otherwise: SharedAnswer(otherwise, answers.system_status, permission=answers.PERMISSION),
    )
