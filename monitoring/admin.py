"""Django looks for admin pages here; each lives with what it belongs to."""

from monitoring.triggers import admin  # noqa: F401  it registers its own
