from django.apps import AppConfig

from opsconsole.live.feeds import register_side_feed


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        from alerts import curves as alert_curves  # noqa: PLC0415  they need the models, which exist only now
        from monitoring.breakers import alert_card, hooks  # noqa: PLC0415  likewise
        from monitoring.breakers import own as own_breakers  # noqa: PLC0415  likewise
        from monitoring.breakers import parts as breaker_parts  # noqa: PLC0415  likewise
        from monitoring.breakers.feed import BreakerFeed  # noqa: PLC0415  likewise
        from monitoring.health import wiring  # noqa: PLC0415  likewise
        from monitoring.metrics import breakers, own, parts  # noqa: PLC0415  likewise
        from monitoring.metrics.hooks import register_listener  # noqa: PLC0415  likewise
        from monitoring.triggers import curves  # noqa: PLC0415  likewise
        from monitoring.triggers.evaluating import after_batch, after_breakers  # noqa: PLC0415  likewise

        breakers.register()
        own.register()
        wiring.register()
        parts.register()
        register_listener(after_batch)
        hooks.register_listener(after_breakers)
        alert_curves.register(curves.drawn)
        alert_curves.register(alert_card.drawn)
        register_side_feed(BreakerFeed())
        breaker_parts.register()
        own_breakers.register()
