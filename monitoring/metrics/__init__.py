"""Metrics: what trading processes report, kept so that nothing is counted twice or lost, and shown to Prometheus and people."""
