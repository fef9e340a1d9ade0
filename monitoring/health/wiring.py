"""What health hands to other parts of the console. Called once, from `MonitoringConfig.ready()`."""

from alerts.errands import register_errand
from monitoring.health import answers, metrics
from monitoring.health.pulsing import BeatPulse
from monitoring.health.watchdog import canaries, parts
from monitoring.health.watchdog import metrics as watchdog_metrics
from opsconsole.api.shared import SharedAnswer
from opsconsole.live.endpoints import register_endpoint
from opsconsole.live.ticks import register_tick


def register() -> None:
    metrics.register()
    register_tick(BeatPulse().ticked)
    watchdog_metrics.register()
    register_errand(lambda clock: canaries.carry(clock=clock))
    parts.register()
    register_endpoint(
        (answers.HEALTH_PATH,),
        lambda otherwise: SharedAnswer(otherwise, answers.health, permission=answers.PERMISSION),
    )
    register_endpoint(
        (answers.STATUS_PATH,),
        lambda otherwise: SharedAnswer(otherwise, answers.system_status, permission=answers.PERMISSION),
    )
