"""Metrics of a trading process: counted here, told to the console once a second, and never lost or counted twice on the way.

metrics = MetricsCollector()
metrics.record_trade("AAPL", "BUY", slippage_bps=1.8, duration_seconds=0.04)
"""

from opsclient.metrics.collector import ApiRequest, MetricsCollector

__all__ = ["ApiRequest", "MetricsCollector"]
