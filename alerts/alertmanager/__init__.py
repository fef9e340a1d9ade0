"""Alertmanager's API v2: Prometheus, Grafana and amtool talk to the console as if it were one."""
