"""opsconsole: the operations console of an AI trading system."""

__version__ = "0.1.0"
