"""`script/server`: everything the console needs, under one process.

A small supervisor of our own. honcho, the library at hand, ends all programs when one ends; here a crashed one is
started again with a growing delay. It also knows no readiness, no order of stopping, no process left by a killed
supervisor, and nothing that runs as another user.
"""
