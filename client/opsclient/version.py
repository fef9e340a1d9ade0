"""The version of this package, as the console shows it."""

__version__ = "0.1.0"
