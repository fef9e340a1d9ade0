"""Triggers: rows that watch metrics, and alert or stop trading."""
