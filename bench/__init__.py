"""Measurements: what the kill switch promises, against its targets and against peers (docs/figures.md)."""
